import type { RecordedLine } from '../authoring/plugin-recorder.js';
import type { JsonValue } from '../config/types.js';
import { BackworksError, type PluginFailure } from '../errors.js';
import type { PluginMetrics } from '../metrics/plugin-metrics.js';
import { type KeyValues, KvStatus, type NativeProcess, type Refusal } from '../native/plugin.js';
import type { LoadedPlugin } from '../plugins/loaded-plugin.js';
import type { PluginMetadata } from '../plugins/metadata.js';
import type { Awaitable, Caller, PluginHealth, PluginResponse } from '../plugins/plugin.js';
import {
  bodyOf,
  serverRequestOf,
  serverResponseOf,
  type TestRequestDocument,
  type TestResponseDocument,
  valueOf,
} from './documents.js';
import type { FakeResponses, TestFetch } from './fake-responses.js';
import type { Recorded, TestOperation } from './recorded.js';
import type {
  RequestOutcome,
  ResponseOutcome,
  TestKeyValues,
  TestPlugin,
  TestResponse,
} from './test-plugin.js';

const DEFAULT_WAIT_MS = 30_000;

/** What a plugin of a test consists of. */
export interface RunningParts {
  readonly loaded: LoadedPlugin;
  readonly recorded: Recorded;
  readonly responses: FakeResponses;
  readonly metrics: PluginMetrics;
  readonly keyValues: KeyValues;
}

/** A plugin that runs without a server. */
export class RunningPlugin implements TestPlugin {
  private readonly caller: Caller = { id: 'test', cancelled: false, trace: null, call: null };

  constructor(private readonly parts: RunningParts) {}

  get metadata(): PluginMetadata {
    return this.parts.loaded.metadata;
  }

  async beforeRequest(document: TestRequestDocument): Promise<RequestOutcome> {
    const request = serverRequestOf(document);
    const decision = await this.make((plugin) =>
      plugin.beforeRequest(request.toJson(), this.caller, request),
    );
    const response = decision?.kind === 'respond' ? responseOf(decision.response) : null;
    const after = valueOf(request) as TestRequestDocument;
    return { response, changed: decision?.kind === 'patch', document: after };
  }

  async processEndpoint(document: TestRequestDocument): Promise<TestResponse | null> {
    const { method, path, route } = document;
    const json = serverRequestOf(document).toJson();
    const answer = await this.make((plugin) =>
      plugin.processEndpoint(route ?? path, method, json, this.caller),
    );
    return answer === null ? null : responseOf(answer);
  }

  async afterResponse(document: TestResponseDocument): Promise<ResponseOutcome> {
    const response = serverResponseOf(document);
    const patch = await this.make((plugin) => plugin.afterResponse(response.toJson(), this.caller, response));
    return { changed: patch !== null, document: valueOf(response) as TestResponseDocument };
  }

  async call(operation: string, payload: JsonValue = null): Promise<JsonValue> {
    const json = JSON.stringify(payload);
    const reply = await this.make((plugin) => plugin.perform(operation, json, this.caller));
    return reply === null ? null : (JSON.parse(reply.toString()) as JsonValue);
  }

  health(): Promise<PluginHealth> {
    return this.make((plugin) => plugin.health());
  }

  get log(): readonly RecordedLine[] {
    return this.parts.recorded.plugin.log;
  }

  logged(text: string | RegExp, timeoutMs = DEFAULT_WAIT_MS): Promise<RecordedLine> {
    const fits = (line: RecordedLine): boolean =>
      typeof text === 'string' ? line.text.includes(text) : text.test(line.text);
    return this.parts.recorded.until(() => this.log.find(fits), `a log line ${String(text)}`, timeoutMs);
  }

  metrics(): Promise<Record<string, number>> {
    return this.parts.metrics.customCounts(this.parts.loaded.name);
  }

  get operations(): readonly TestOperation[] {
    return this.parts.recorded.operations;
  }

  get fetches(): readonly TestFetch[] {
    return this.parts.responses.requests;
  }

  get kv(): TestKeyValues {
    const { keyValues } = this.parts;
    return {
      get: (key) => keyValues.get(key),
      set: (key, value) => {
        if (keyValues.set(key, value, 0) !== KvStatus.STORED)
          throw new BackworksError('BW_USAGE', `the value of ${key} cannot be stored`);
      },
    };
  }

  get refusals(): readonly Refusal[] {
    return this.parts.recorded.plugin.refusals;
  }

  get failures(): readonly PluginFailure[] {
    return this.parts.recorded.plugin.failures;
  }

  get processes(): readonly NativeProcess[] {
    return this.parts.loaded.processes();
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<PluginFailure> {
    const known = this.failures.length;
    this.signal(signal);
    const failure = (): PluginFailure | undefined => this.failures[known];
    return this.parts.recorded.until(failure, `the end of the process by ${signal}`, DEFAULT_WAIT_MS);
  }

  freeze(): void {
    this.signal('SIGSTOP');
  }

  close(): Promise<void> {
    return this.parts.loaded.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private signal(signal: NodeJS.Signals): void {
    const serving = this.processes.find(({ state }) => state === 'ready');
    if (serving === undefined) {
      const hint = 'start it with isolation: process';
      throw new BackworksError('BW_USAGE', 'the plugin has no process that serves', { hint });
    }
    process.kill(serving.pid, signal);
  }

  private async make<T>(call: (plugin: LoadedPlugin) => Awaitable<T>): Promise<T> {
    try {
      return await call(this.parts.loaded);
    } catch (thrown) {
      throw await this.parts.recorded.plugin.detailed(thrown);
    }
  }
}

function responseOf(response: PluginResponse): TestResponse {
  const { status, headers } = response;
  return { status, headers, body: bodyOf(response) };
}
