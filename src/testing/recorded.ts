import { PluginRecorder } from '../authoring/plugin-recorder.js';
import type { JsonValue } from '../config/types.js';
import type { NativeReply, OperationRequest } from '../native/plugin.js';
import type { PluginEvents } from '../plugins/loader.js';

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
  readonly plugin = new PluginRecorder(() => this.wake());
  readonly operations: TestOperation[] = [];
  readonly events: PluginEvents = {
    ...this.plugin.events,
    operate: (request) => this.operate(request),
  };
  private readonly waiting = new Set<() => void>();

  constructor(private readonly fakes: Readonly<Record<string, FakeOperation>>) {}

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

  private async operate({ plugin, operation, payload }: OperationRequest): Promise<NativeReply> {
    const { collector } = this.plugin;
    let value: JsonValue;
    try {
      value = JSON.parse(payload) as JsonValue;
    } catch {
      collector.warn({}, `the payload of ${operation} is not JSON, so the call gets no answer`);
      return null;
    }
    this.operations.push({ plugin, operation, payload: value });
    this.wake();
    const fake = Object.hasOwn(this.fakes, operation) ? this.fakes[operation] : undefined;
    try {
      const answer = await fake?.(value, plugin);
      return answer === undefined ? null : JSON.stringify(answer);
    } catch (thrown) {
      collector.error({}, `the fake of ${operation} failed: ${String(thrown)}`);
      return null;
    }
  }
}
