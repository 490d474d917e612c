import { constants } from 'node:os';
import type { ExitCode } from './command.js';

/** A request to stop a command, by Ctrl-C or SIGTERM. */
export interface Interrupt {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** 128 + signal number, as shells expect; null when no signal has come. */
  exitCode(): ExitCode | null;
}

/**
 * From now on, the first signal does not end the process: the command cleans up and returns the exit code. A second
 * signal ends the process at once.
 */
export function listenForInterrupt(): Interrupt {
  const stop = new AbortController();
  let code: ExitCode | null = null;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (code !== null) process.exit(code);
      code = 128 + constants.signals[signal];
      stop.abort();
    });
  }
  return { signal: stop.signal, exitCode: () => code };
}
