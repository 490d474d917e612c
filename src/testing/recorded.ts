import type { JsonValue } from '../config/types.js';
import { type BackworksError, type PluginFailure, toBackworksError } from '../errors.js';
import type { Log } from '../log.js';
import type { NativeReply, OperationRequest, Refusal } from '../native/plugin.js';
import { IGNORED_EVENTS, type PluginEvents } from '../plugins/loader.js';

/** A line that the plugin logged or printed, or that the server logged about it. */
export interface TestLogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** `log` for the host table, `stdout` or `stderr` for a stream, `server` for the server's own lines. */
  readonly source: string;
  readonly text: string;
}

/** A call of the plugin to an operation of another plugin. */
export interface TestOperation {
  /** The plugin it named; null for any provider. */
  readonly plugin: string | null;
  readonly operation: string;
  readonly payload: JsonValue;
}

/**
 * Answers an operation in place of another plugin.
 * @returns the answer; undefined for no answer, as when no plugin provides the operation
 */
export type FakeOperation = (
  payload: JsonValue,
  plugin: string | null,
) => JsonValue | undefined | Promise<JsonValue | undefined>;

/** What a plugin did during a test. */
export class Recorded {
  readonly log: TestLogLine[] = [];
  readonly operations: TestOperation[] = [];
  readonly refusals: Refusal[] = [];
  /** Failures of processes, with functions and source lines. */
  readonly failures: PluginFailure[] = [];
  private readonly located = new Map<unknown, Promise<PluginFailure>>();
  private readonly waiting = new Set<() => void>();

  constructor(private readonly fakes: Readonly<Record<string, FakeOperation>>) {}

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
        this.wake();
      });
    },
    refused: (refusal) => {
      this.refusals.push(refusal);
      this.wake();
    },
    operate: (request) => this.operate(request),
  };

  /** The error of a call, with functions and source lines if a process failed. */
  async detailed(thrown: unknown): Promise<BackworksError> {
    return (await this.located.get(thrown)) ?? toBackworksError(thrown);
  }

  /** Waits until a value is found among the records. @throws Error when that takes too long */
  async until<T>(find: () => T | undefined, what: string, timeoutMs: number): Promise<T> {
    for (const giveUpAt = performance.now() + timeoutMs; ;) {
      const found = find();
      if (found !== undefined) return found;
      const leftMs = giveUpAt - performance.now();
      if (leftMs <= 0) throw new Error(`waited ${timeoutMs} ms for ${what}`);
      await this.change(leftMs);
    }
  }

  private change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      this.waiting.add(wake);
    });
  }

  private wake(): void {
    for (const wake of [...this.waiting]) wake();
  }

  private keep(level: TestLogLine['level'], fields: object, text: string): void {
    const { source } = fields as { source?: unknown };
    this.log.push({ level, source: typeof source === 'string' ? source : 'server', text });
    this.wake();
  }

  private async operate({ plugin, operation, payload }: OperationRequest): Promise<NativeReply> {
    let value: JsonValue;
    try {
      value = JSON.parse(payload) as JsonValue;
    } catch {
      this.keep('warn', {}, `the payload of ${operation} is not JSON, so the call gets no answer`);
      return null;
    }
    this.operations.push({ plugin, operation, payload: value });
    this.wake();
    const fake = Object.hasOwn(this.fakes, operation) ? this.fakes[operation] : undefined;
    try {
      const answer = await fake?.(value, plugin);
      return answer === undefined ? null : JSON.stringify(answer);
    } catch (thrown) {
      this.keep('error', {}, `the fake of ${operation} failed: ${String(thrown)}`);
      return null;
    }
  }
}
