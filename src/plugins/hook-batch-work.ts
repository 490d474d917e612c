import type { PluginExecutor } from '../execution/executor.js';
import type { Text } from '../long-text.js';
import type { GuardedCall } from '../execution/guarded-call.js';
import type { NativePlugin, NativeReply, NativeHookBatch } from '../native/plugin.js';
import { type Callee, HookWork, type Read } from './hook-work.js';
import { readPatch } from './marshal.js';
import type { Caller, JsonMembers, Patched, PluginResponse, HookBatch } from './plugin.js';

type FirstHook = NativeHookBatch['first'];

/** The plugin whose hooks are called as a batch. */
export interface HookBatchCallee extends Callee {
  readonly executor: Pick<PluginExecutor, 'adopt'>;
  readonly readAnswer: Read<PluginResponse | null>;
}

/** The first hook of a batch, which starts the others. A retry of this hook is an ordinary call. */
export class HookBatchWork<T> extends HookWork<T> implements NativeHookBatch {
  private startedAtMs = 0;

  constructor(
    private readonly host: HookBatchCallee,
    readonly first: FirstHook,
    readonly requestJson: Text,
    args: readonly Text[],
    read: Read<T>,
    caller: Caller | undefined,
    private readonly batch: HookBatch,
    document?: Patched,
  ) {
    super(host, first, args, read, caller, document);
  }

  override begin(call: GuardedCall): ReturnType<NativePlugin['call']> {
    if (!this.batch.begin()) return super.begin(call);
    this.handToCaller(call);
    this.startedAtMs = call.startedAtMs;
    const answer = this.host.native.batch?.(this, call);
    if (answer) return answer;
    this.batch.end();
    return super.begin(call);
  }

  get endpoint(): string {
    return this.batch.endpoint;
  }

  get method(): string {
    return this.batch.method;
  }

  get responseHead(): string | null {
    return this.batch.responseHead;
  }

  next(hook: 'process_endpoint' | 'after_response'): GuardedCall<unknown> {
    const call = hook === 'process_endpoint' ? this.endpointCall() : this.responseCall();
    this.handToCaller(call);
    return call;
  }

  end(): void {
    this.batch.end();
  }

  abandon(error: unknown): void {
    this.batch.abandon(error);
  }

  private endpointCall(): GuardedCall<unknown> {
    const { host, document, batch, caller, startedAtMs } = this;
    const work = new EndpointWork(host, batch, document!, caller);
    return (batch.endpointAnswer = host.executor.adopt('process_endpoint', work, startedAtMs));
  }

  private responseCall(): GuardedCall<unknown> {
    const { host, batch, caller, startedAtMs } = this;
    const work = new ResponseWork(host, batch, caller);
    return (batch.patch = host.executor.adopt('after_response', work, startedAtMs));
  }
}

/** process_endpoint as part of a batch that began with before_request. A retry sends the document after that hook. */
class EndpointWork extends HookWork<PluginResponse | null> {
  constructor(
    host: HookBatchCallee,
    private readonly batch: HookBatch,
    private readonly request: Patched,
    caller: Caller | undefined,
  ) {
    super(host, 'process_endpoint', [], host.readAnswer, caller);
  }

  override get sent(): Text | undefined {
    return this.request.toJson();
  }

  override begin(call: GuardedCall): ReturnType<NativePlugin['call']> {
    const { endpoint, method } = this.batch;
    this.args = [endpoint, method, this.request.toJson()];
    return super.begin(call);
  }
}

/** after_response as part of a batch. The call is made before the server has the response document. */
class ResponseWork extends HookWork<JsonMembers | null> {
  constructor(
    host: HookBatchCallee,
    private readonly batch: HookBatch,
    caller: Caller | undefined,
  ) {
    super(host, 'after_response', [], readPatch, caller);
  }

  override get sent(): Text | undefined {
    return this.batch.response?.toJson();
  }

  override begin(call: GuardedCall): ReturnType<NativePlugin['call']> {
    this.args = [this.batch.response!.toJson()];
    return super.begin(call);
  }

  override read(reply: NativeReply, call: GuardedCall): JsonMembers | null {
    this.document = this.batch.response ?? undefined;
    return super.read(reply, call);
  }
}
