import koffi from 'koffi';
import { constants } from 'node:os';

/** Signals that the server relies on, whether they end the process or are ignored. */
const ALWAYS_KEPT = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGPIPE'] as const;
/** Kept when the server or Node handles them; otherwise plugins may use them. */
const KEPT_IF_HANDLED = ['SIGUSR1', 'SIGUSR2', 'SIGCHLD', 'SIGWINCH'] as const;
/** Signals of crashes. Plugins may handle them, because language runtimes need them; a warning names them. */
const WARNED_OF = ['SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGABRT', 'SIGSYS'] as const;

/** At least the size of struct sigaction and sigset_t on any system. */
const OPAQUE_BYTES = 256;
/** The handler and the first 64 signals of the mask. */
const COMPARED_BYTES = 16;
const LOOK_INTERVAL_MS = 1000;

type Name = NodeJS.Signals;

interface Disposition {
  /** The struct sigaction. */
  readonly action: Buffer;
  /** Whether the server has a listener for the signal. */
  readonly isListened: boolean;
}

interface LibC {
  sigaction(signal: number, action: Buffer | null, old: Buffer | null): number;
  pthread_sigmask(how: number, set: Buffer | null, old: Buffer | null): number;
}

/** Receives a sentence about what a plugin did to signals. */
export type SignalReport = (text: string) => void;

let bound: LibC | null = null;

function libc(): LibC {
  if (bound !== null) return bound;
  const library = koffi.load(null);
  bound = {
    sigaction: library.func('sigaction', 'int', ['int', 'void *', 'void *']),
    pthread_sigmask: library.func('pthread_sigmask', 'int', ['int', 'void *', 'void *']),
  };
  return bound;
}

/** SIG_SETMASK of this system's signal.h. */
const SET_MASK = process.platform === 'darwin' ? 3 : 2;

/**
 * Restores signal handlers of the server after code of an in-process plugin replaced them. If a plugin
 * kept its handler for SIGTERM, only SIGKILL would end the server. There is one guard for the process.
 */
class SignalGuard {
  private kept = new Map<Name, Disposition>();
  private mask: Buffer | null = null;
  private readonly plugins = new Map<string, SignalReport>();
  private timer: NodeJS.Timeout | null = null;

  /** Watches for changes by threads or later calls of a plugin. @param report receives a sentence */
  watch(plugin: string, report: SignalReport): void {
    if (process.platform === 'win32') return;
    this.plugins.set(plugin, report);
    this.timer ??= setInterval(() => this.look(), LOOK_INTERVAL_MS).unref();
  }

  /** Runs code of a plugin on this thread, and undoes its changes to signals. */
  around<T>(plugin: string, report: SignalReport, work: () => T): T {
    if (process.platform === 'win32') return work();
    this.look();
    const others = read(WARNED_OF);
    try {
      return work();
    } finally {
      for (const what of this.putBack()) report(`plugin ${plugin} ${what}`);
      const now = read(WARNED_OF);
      const taken = WARNED_OF.filter((name) => !same(now.get(name), others.get(name)));
      if (taken.length > 0)
        report(`plugin ${plugin} handles ${taken.join(', ')} for the whole server: a crash may go unseen`);
    }
  }

  /** Runs between calls, so a change since the last look was made by a plugin's thread or call. */
  private look(): void {
    const found = this.putBack();
    // Which plugin it was is unknown, so the log line of the first plugin names all of them.
    const [report] = this.plugins.values();
    const names = [...this.plugins.keys()].join(', ');
    for (const what of found) report?.(`an in-process plugin (${names}) ${what}`);
  }

  /** Restores the handlers. @returns what was restored, as predicates of a sentence */
  private putBack(): string[] {
    const now = read([...ALWAYS_KEPT, ...KEPT_IF_HANDLED]);
    const changed: Name[] = [];
    for (const [name, { action, isListened }] of now) {
      const before = this.kept.get(name);
      // A listener of the server that was added or removed changed the handler, not a plugin.
      if (before === undefined || before.isListened !== isListened || sameAction(action, before.action))
        continue;
      if (!isKept(name, before)) continue;
      libc().sigaction(constants.signals[name], before.action, null);
      changed.push(name);
    }
    for (const name of changed) now.set(name, this.kept.get(name) as Disposition);
    this.kept = now;
    const list = changed.join(', ');
    return [
      ...(changed.length > 0 ? [`replaced the server's handlers of ${list}; they were put back`] : []),
      ...(this.restoreMask() ? ["changed the signal mask of the server's thread; it was put back"] : []),
    ];
  }

  private restoreMask(): boolean {
    const mask = Buffer.alloc(OPAQUE_BYTES);
    libc().pthread_sigmask(SET_MASK, null, mask);
    if (this.mask === null || mask.equals(this.mask)) {
      this.mask ??= mask;
      return false;
    }
    libc().pthread_sigmask(SET_MASK, this.mask, null);
    return true;
  }
}

export const signalGuard = new SignalGuard();

function isKept(name: Name, before: Disposition): boolean {
  if ((ALWAYS_KEPT as readonly string[]).includes(name)) return true;
  return before.isListened || !isDefault(before.action);
}

/** SIG_DFL is 0, and the handler is the first field of the structure on every system. */
function isDefault(action: Buffer): boolean {
  return action.readBigUInt64LE(0) === 0n;
}

function read(names: readonly Name[]): Map<Name, Disposition> {
  const found = new Map<Name, Disposition>();
  for (const name of names) {
    const action = Buffer.alloc(OPAQUE_BYTES);
    if (libc().sigaction(constants.signals[name], null, action) !== 0) continue;
    found.set(name, { action, isListened: process.listenerCount(name) > 0 });
  }
  return found;
}

function same(one: Disposition | undefined, other: Disposition | undefined): boolean {
  return one !== undefined && other !== undefined && sameAction(one.action, other.action);
}

/** Compares the handler and the blocked signals; the C library leaves the rest of the structure unset. */
function sameAction(one: Buffer, other: Buffer): boolean {
  return one.compare(other, 0, COMPARED_BYTES, 0, COMPARED_BYTES) === 0;
}
