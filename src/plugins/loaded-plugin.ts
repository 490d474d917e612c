import type { CircuitStateName, PluginExecutor } from '../execution/executor.js';
import type { PluginConfig } from '../config/types.js';
import type { Text } from '../long-text.js';
import type { LibraryHold } from '../native/library/library-holds.js';
import type { Hook, NativePlugin, NativeProcess, NativeReply, SandboxReport } from '../native/plugin.js';
import type { BodyUse } from './body-use.js';
import { fittingConfig } from './fitting-config.js';
import { HookWork, type Read } from './hook-work.js';
import { readDecision, readEndpointAnswer, readOperationAnswer, readPatch } from './marshal.js';
import type { PluginMetadata, PipelineHook } from './metadata.js';
import { adjustableSettings } from './native-settings.js';
import type {
  Awaitable,
  BackworksPlugin,
  Caller,
  JsonMembers,
  Patched,
  PluginHealth,
  PluginResponse,
  RequestDecision,
  HookBatch,
} from './plugin.js';
import type { ResolvedPolicy } from './plugin-entry.js';
import type { CallStats } from './call-stats.js';
import { type HookBatchCallee, HookBatchWork } from './hook-batch-work.js';

export interface LoadedPluginOptions {
  readonly name: string;
  /** SHA-256 of the library, in hexadecimal. */
  readonly digest: string;
  readonly metadata: PluginMetadata;
  readonly policy: ResolvedPolicy;
}

const SERVER_ERROR = 500;

/** What is counted here and not by the executor; the same under every policy. */
interface OwnCounts {
  crashes: number;
  /** Endpoint answers with a status of 500 or more. */
  serverErrors: number;
}

/** A native plugin behind its executor: the only caller of a vtable function. */
export class LoadedPlugin implements BackworksPlugin {
  readonly name: string;
  readonly digest: string;
  readonly metadata: PluginMetadata;
  readonly priority: number;
  readonly critical: boolean;
  readonly body: BodyUse;
  readonly batchesHooks: boolean;
  private readonly callee: HookBatchCallee;
  private readonly readAnswer: Read<PluginResponse | null> = (reply, bytesMax, document, plain) => {
    const answer = readEndpointAnswer(reply, bytesMax, document, plain);
    if (answer !== null && answer.status >= SERVER_ERROR) this.ownCounts.serverErrors += 1;
    return answer;
  };

  /** @param hold of the copy its processes load */
  constructor(
    private readonly options: LoadedPluginOptions,
    private readonly native: NativePlugin,
    private readonly executor: PluginExecutor,
    private readonly hold: LibraryHold,
    private readonly ownCounts: OwnCounts = { crashes: 0, serverErrors: 0 },
  ) {
    const { policy } = options;
    this.name = options.name;
    this.digest = options.digest;
    this.metadata = options.metadata;
    this.priority = policy.priority;
    this.critical = policy.critical;
    this.body = policy.body;
    this.batchesHooks = native.batch !== undefined;
    const { parsedReplyBytes } = policy.limits;
    this.callee = { name: this.name, native, parsedReplyBytes, executor, readAnswer: this.readAnswer };
  }

  /**
   * The same processes under another policy, for requests that begin from now on: this one stays as it is
   * for those that began with it. One of the two is to be closed, not both.
   */
  adjusted(policy: ResolvedPolicy): LoadedPlugin {
    this.native.adjust(adjustableSettings(policy));
    const executor = this.executor.adjusted(policy);
    return new LoadedPlugin({ ...this.options, policy }, this.native, executor, this.hold, this.ownCounts);
  }

  /** Whether both are the same processes, under whatever policy. */
  isSame(other: LoadedPlugin | null): boolean {
    return this.native === other?.native;
  }

  /** It takes another configuration without another process. */
  get reconfigurable(): boolean {
    return this.native.description.functions.has('reconfigure');
  }

  /**
   * @throws PluginFailure BW_PLUGIN_RECONFIGURE, or BW_PLUGIN_CONFIG when it does not fit the plugin's own
   *   schema; the former configuration is in force then
   */
  async reconfigure(config: Pick<PluginConfig, 'config' | 'written'>): Promise<void> {
    await this.native.reconfigure(await fittingConfig(this.name, this.metadata.configSchema, config));
  }

  has(hook: PipelineHook): boolean {
    return this.metadata.hooks.has(hook);
  }

  beforeRequest(
    requestJson: Text,
    caller?: Caller,
    document?: Patched,
    batch?: HookBatch,
  ): Awaitable<RequestDecision | null> {
    const args = [requestJson];
    if (batch === undefined) return this.call('before_request', args, readDecision, caller, document);
    const { callee } = this;
    return this.executor.run(
      'before_request',
      new HookBatchWork(callee, 'before_request', requestJson, args, readDecision, caller, batch, document),
    );
  }

  processEndpoint(
    endpoint: string,
    method: string,
    requestJson: Text,
    caller?: Caller,
    batch?: HookBatch,
  ): Awaitable<PluginResponse | null> {
    const args = [endpoint, method, requestJson];
    if (batch === undefined) return this.call('process_endpoint', args, this.readAnswer, caller);
    const { callee } = this;
    return this.executor.run(
      'process_endpoint',
      new HookBatchWork(callee, 'process_endpoint', requestJson, args, this.readAnswer, caller, batch),
    );
  }

  afterResponse(responseJson: Text, caller?: Caller, document?: Patched): Awaitable<JsonMembers | null> {
    return this.call('after_response', [responseJson], readPatch, caller, document);
  }

  /** An operation of its manifest's capabilities, for another plugin; null for no answer. */
  perform(operation: string, payloadJson: string, caller: Caller): Awaitable<NativeReply> {
    return this.call('call', [operation, payloadJson], readOperationAnswer, caller);
  }

  /** @throws PluginFailure (as a rejection) when the plugin cannot be asked. */
  async health(): Promise<PluginHealth> {
    if (!this.native.description.functions.has('health_check')) return { status: 'healthy', text: '' };
    const { status, text } = await this.executor.execute('health_check', (call) =>
      this.native.healthCheck(call),
    );
    return { status: status === 0 ? 'healthy' : status > 0 ? 'degraded' : 'unhealthy', text };
  }

  /** Replaces its processes while it serves. @throws BackworksError when that fails or cannot be. */
  restart(): Promise<void> {
    return this.native.restart();
  }

  /** Calls shutdown() within its time-box and ends every process. Never rejects. */
  async close(): Promise<void> {
    await this.native.close();
    await this.hold.release();
  }

  /** It is taken out and no other takes its place. To be closed all the same. */
  withdraw(): void {
    this.executor.withdraw();
  }

  get circuit(): CircuitStateName {
    return this.executor.circuit;
  }

  get calls(): Record<string, { calls: number; failed: number }> {
    return this.executor.counts;
  }

  /** How it has done so far. */
  get callStats(): CallStats {
    const { calls, failed, busyMs } = this.executor.totals;
    const { serverErrors, crashes } = this.ownCounts;
    return { calls, failed: failed + serverErrors, busyMs, crashes };
  }

  /** One of its processes failed; whoever hears of it says so. */
  processFailed(): void {
    this.ownCounts.crashes += 1;
  }

  /** Which version it is. */
  get versionName(): { readonly digest: string; readonly version: string } {
    return { digest: this.digest, version: this.metadata.version };
  }

  /** What holds of its sandbox; null in-process. */
  get sandbox(): SandboxReport | null {
    return this.native.sandbox;
  }

  processes(): readonly NativeProcess[] {
    return this.native.processes();
  }

  private call<T>(
    hook: Hook,
    args: readonly Text[],
    read: Read<T>,
    caller?: Caller,
    document?: Patched,
  ): Awaitable<T> {
    return this.executor.run(hook, new HookWork(this.callee, hook, args, read, caller, document));
  }
}
