import type { CircuitStateName, PluginExecutor } from '../execution/executor.js';
import type { FailurePolicy, HookScope, PluginConfig } from '../config/types.js';
import type { Text } from '../long-text.js';
import type { LibraryHold } from '../native/library/library-holds.js';
import { RUNNER_PATCH_MAX } from '../native/protocol/protocol.js';
import type { Hook, NativePlugin, NativeProcess, NativeReply, SandboxReport } from '../native/plugin.js';
import type { BodyUse } from './body-use.js';
import { fittingConfig } from './fitting-config.js';
import { HookWork, type Read } from './hook-work.js';
import { readDecision, readEndpointAnswer, readOperationAnswer, readPatch } from './marshal.js';
import type { PluginMetadata, PipelineHook } from './metadata.js';
import { adjustableSettings } from './native-settings.js';
import {
  type Awaitable,
  type BackworksPlugin,
  type Caller,
  type HookBatch,
  isDenial,
  type JsonMembers,
  type Patched,
  type PluginHealth,
  type PluginResponse,
  type RequestDecision,
} from './plugin.js';
import type { ResolvedPolicy } from './plugin-entry.js';
import type { CallStats } from './call-stats.js';
import { type HookBatchCallee, HookBatchWork } from './hook-batch-work.js';

export interface LoadedPluginOptions {
  readonly name: string;
  /** SHA-256 of the library, in hexadecimal. */
  readonly digest: string;
  /** See Dependencies.digest. */
  readonly dependencies: string;
  readonly metadata: PluginMetadata;
  readonly policy: ResolvedPolicy;
  /** Its before_request has denied a request for the first time. @param status 401 or 403 */
  readonly onDenied?: (status: number) => void;
}

const SERVER_ERROR = 500;

/** Counters that the executor does not have. They are shared by all policies of the same processes. */
interface OwnCounts {
  crashes: number;
  /** Endpoint answers with a status of 500 or more. */
  serverErrors: number;
  /** Its before_request has answered 401 or 403. */
  hasDenied: boolean;
}

/** A native plugin behind its executor. Only this class calls the plugin's functions. */
export class LoadedPlugin implements BackworksPlugin {
  readonly name: string;
  readonly digest: string;
  readonly dependencies: string;
  readonly metadata: PluginMetadata;
  readonly priority: number;
  readonly onFailure: FailurePolicy;
  readonly hookScope: HookScope;
  readonly body: BodyUse;
  readonly batchesHooks: boolean;
  private readonly callee: HookBatchCallee;
  private readonly readAnswer: Read<PluginResponse | null> = (reply, bytesMax, document, plain, asked) => {
    const answer = readEndpointAnswer(reply, bytesMax, document, plain, asked);
    if (answer !== null && answer.status >= SERVER_ERROR) this.ownCounts.serverErrors += 1;
    return answer;
  };

  private readonly readDecision: Read<RequestDecision | null> = (reply, bytesMax, document, plain, asked) => {
    const decision = readDecision(reply, bytesMax, document, plain, asked);
    if (isDenial(decision) && !this.ownCounts.hasDenied) {
      this.ownCounts.hasDenied = true;
      this.options.onDenied?.(decision.response.status);
    }
    return decision;
  };

  /** @param hold keeps the library copy that the processes load */
  constructor(
    private readonly options: LoadedPluginOptions,
    private readonly native: NativePlugin,
    private readonly executor: PluginExecutor,
    private readonly hold: LibraryHold,
    private readonly ownCounts: OwnCounts = { crashes: 0, serverErrors: 0, hasDenied: false },
  ) {
    const { policy } = options;
    this.name = options.name;
    this.digest = options.digest;
    this.dependencies = options.dependencies;
    this.metadata = options.metadata;
    this.priority = policy.priority;
    this.onFailure = policy.onFailure;
    this.hookScope = policy.hookScope;
    this.body = policy.body;
    const { parsedReplyBytes } = policy.limits;
    // The runner does not know the limit, so it would go on after a patch that the server refuses.
    this.batchesHooks = native.batch !== undefined && parsedReplyBytes >= RUNNER_PATCH_MAX;
    this.callee = { name: this.name, native, parsedReplyBytes, executor, readAnswer: this.readAnswer };
  }

  /**
   * The same processes under another policy, for requests that begin from now on. Requests in flight keep this
   * object and its policy. The caller closes one of the two objects, not both.
   */
  adjusted(policy: ResolvedPolicy): LoadedPlugin {
    this.native.adjust(adjustableSettings(policy));
    const executor = this.executor.adjusted(policy);
    return new LoadedPlugin({ ...this.options, policy }, this.native, executor, this.hold, this.ownCounts);
  }

  /** Whether both objects have the same processes; their policies may differ. */
  isSame(other: LoadedPlugin | null): boolean {
    return this.native === other?.native;
  }

  /** Whether the plugin can take a new configuration without new processes. */
  get reconfigurable(): boolean {
    return this.native.description.functions.has('reconfigure');
  }

  /**
   * @throws PluginFailure BW_PLUGIN_RECONFIGURE, or BW_PLUGIN_CONFIG when the configuration does not match the
   *   plugin's schema; the former configuration stays active then
   */
  async reconfigure(config: Pick<PluginConfig, 'config' | 'written'>): Promise<void> {
    await this.native.reconfigure(await fittingConfig(this.name, this.metadata.configSchema, config));
  }

  /** Calls reconfigure() although the configuration has not changed. Otherwise the same as reconfigure(). */
  async reconfigureAgain(config: Pick<PluginConfig, 'config' | 'written'>): Promise<void> {
    // A white space more is another text for the server, and the same JSON for the plugin.
    await this.native.reconfigure(`${await fittingConfig(this.name, this.metadata.configSchema, config)} `);
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
    const { callee, readDecision: read } = this;
    if (batch === undefined) return this.call('before_request', args, read, caller, document);
    return this.executor.run(
      'before_request',
      new HookBatchWork(callee, 'before_request', requestJson, args, read, caller, batch, document),
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

  /** Performs an operation (a capability of the manifest) for another plugin. The reply may be null. */
  perform(operation: string, payloadJson: string, caller: Caller): Awaitable<NativeReply> {
    return this.call('call', [operation, payloadJson], readOperationAnswer, caller);
  }

  /** Rejects with a PluginFailure when the health check fails. */
  async health(): Promise<PluginHealth> {
    if (!this.native.description.functions.has('health_check')) return { status: 'healthy', text: '' };
    const { status, text } = await this.executor.execute('health_check', (call) =>
      this.native.healthCheck(call),
    );
    return { status: status === 0 ? 'healthy' : status > 0 ? 'degraded' : 'unhealthy', text };
  }

  /** Replaces the processes while the plugin serves. Rejects with a BackworksError when that is not possible. */
  restart(): Promise<void> {
    return this.native.restart();
  }

  /** Calls shutdown() within its timeout and ends every process. Never rejects. */
  async close(): Promise<void> {
    await this.native.close();
    await this.hold.release();
  }

  /** The plugin is removed without a successor. The caller still closes it. */
  withdraw(): void {
    this.executor.withdraw();
  }

  get circuit(): CircuitStateName {
    return this.executor.circuit;
  }

  get calls(): Record<string, { calls: number; failed: number }> {
    return this.executor.counts;
  }

  get callStats(): CallStats {
    const { calls, failed, busyMs } = this.executor.totals;
    const { serverErrors, crashes } = this.ownCounts;
    return { calls, failed: failed + serverErrors, busyMs, crashes };
  }

  /** Whether its before_request has denied a request since it was loaded, with 401 or 403. */
  get hasDenied(): boolean {
    return this.ownCounts.hasDenied;
  }

  /** Counts a failed process. Called by the handler of the failure event. */
  processFailed(): void {
    this.ownCounts.crashes += 1;
  }

  get versionName(): { readonly digest: string; readonly version: string } {
    return { digest: this.digest, version: this.metadata.version };
  }

  /** The state of the sandbox; null in-process. */
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
