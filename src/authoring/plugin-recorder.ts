import { type BackworksError, type PluginFailure, toBackworksError } from '../errors.js';
import type { Log } from '../log.js';
import type { Refusal } from '../native/plugin.js';
import { IGNORED_EVENTS, type PluginEvents } from '../plugins/loader.js';

/** A line that the plugin logged or printed, or that the server logged about it. */
export interface RecordedLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** `log` for the host table, `stdout` or `stderr` for a stream, `server` for the server's own lines. */
  readonly source: string;
  readonly text: string;
}

/** What a plugin logged, what the sandbox refused, and the failures of its processes. */
export class PluginRecorder {
  readonly log: RecordedLine[] = [];
  readonly refusals: Refusal[] = [];
  /** Failures of processes, with functions and source lines. */
  readonly failures: PluginFailure[] = [];
  private readonly located = new Map<unknown, Promise<PluginFailure>>();

  /** @param added something was recorded */
  constructor(private readonly added: () => void = () => undefined) {}

  readonly collector: Log = {
    debug: (fields, text) => this.keep('debug', fields, text),
    info: (fields, text) => this.keep('info', fields, text),
    warn: (fields, text) => this.keep('warn', fields, text),
    error: (fields, text) => this.keep('error', fields, text),
  };

  readonly events: PluginEvents = {
    ...IGNORED_EVENTS,
    failed: (failure, located) => {
      this.located.set(failure, located);
      void located.then((detailed) => {
        this.failures.push(detailed);
        this.added();
      });
    },
    refused: (refusal) => {
      this.refusals.push(refusal);
      this.added();
    },
  };

  /** The error of a call, with the function and the source line in which a process crashed. */
  async detailed(thrown: unknown): Promise<BackworksError> {
    return (await this.located.get(thrown)) ?? toBackworksError(thrown);
  }

  private keep(level: RecordedLine['level'], fields: object, text: string): void {
    const { source } = fields as { source?: unknown };
    this.log.push({ level, source: typeof source === 'string' ? source : 'server', text });
    this.added();
  }
}
