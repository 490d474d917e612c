import { constants } from 'node:os';

export type StopSignal = 'SIGTERM' | 'SIGINT';

export interface StopSignals {
  /** Resolves on the first stop signal. */
  readonly first: Promise<StopSignal>;
}

/**
 * Listens for stop signals. The first one is reported, so that the server can drain. The second one ends the
 * process at once with exit code 128 + signal number, as shells expect. Plugin processes end with this
 * process.
 */
export function listenForStop(reload: () => void): StopSignals {
  const first = new Promise<StopSignal>((resolve) => {
    let asked = false;
    const onStop = (signal: StopSignal): void => {
      if (asked) process.exit(128 + constants.signals[signal]);
      asked = true;
      resolve(signal);
    };
    process.on('SIGTERM', onStop);
    process.on('SIGINT', onStop);
  });
  process.on('SIGHUP', reload);
  return { first };
}

/**
 * A worker stops only when its primary says so. Ctrl-C in a terminal, or a supervisor that stops a process
 * group, would otherwise signal every process at the same time.
 */
export function ignoreStopSignals(): void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => undefined);
}
