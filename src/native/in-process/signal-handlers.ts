import { constants } from 'node:os';
import koffi from 'koffi';

/** Signals by which operators and the system reach the server. */
const SERVER_SIGNALS = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGPIPE',
  'SIGUSR1',
  'SIGUSR2',
  'SIGCHLD',
] as const satisfies readonly NodeJS.Signals[];

/** Room for a struct sigaction (152 bytes in glibc on x86-64, less elsewhere). Its handler is the first field. */
const SIGACTION_BYTES = 512;
const POINTER_BYTES = 8;

type SigAction = (signal: number, action: Buffer | null, former: Buffer | null) => number;

let bound: SigAction | null = null;

function sigaction(...args: Parameters<SigAction>): number {
  bound ??= koffi.load(null).func('sigaction', 'int', ['int', 'void *', 'void *']) as unknown as SigAction;
  return bound(...args);
}

/**
 * The server's own signal handlers. A library that runs in the server can replace them, for example when it
 * initializes a runtime of its own; the server could then be stopped by SIGKILL only. Handlers of other
 * signals, such as SIGSEGV or SIGURG, are left to the library: Go's runtime cannot work without them.
 */
export class SignalHandlers {
  private readonly actions = new Map<NodeJS.Signals, Buffer>();

  private constructor() {}

  /** Notes the handlers that are installed now. There is nothing to note on Windows, which has no sigaction(). */
  static capture(): SignalHandlers {
    const handlers = new SignalHandlers();
    if (process.platform === 'win32') return handlers;
    for (const signal of SERVER_SIGNALS) {
      const action = Buffer.alloc(SIGACTION_BYTES);
      if (sigaction(constants.signals[signal], null, action) === 0) handlers.actions.set(signal, action);
    }
    return handlers;
  }

  /** Puts back every handler that was replaced since capture(). @returns the signals */
  restore(): NodeJS.Signals[] {
    const replaced: NodeJS.Signals[] = [];
    for (const [signal, action] of this.actions) {
      const now = Buffer.alloc(SIGACTION_BYTES);
      if (sigaction(constants.signals[signal], null, now) !== 0) continue;
      if (now.compare(action, 0, POINTER_BYTES, 0, POINTER_BYTES) === 0) continue;
      if (sigaction(constants.signals[signal], action, null) === 0) replaced.push(signal);
    }
    return replaced;
  }
}
