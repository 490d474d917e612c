import type { PluginExecutor } from '../execution/executor.js';
import type { Text } from '../long-text.js';
import type { GuardedCall } from '../execution/guarded-call.js';
import type { NativePlugin, NativeReply, NativeVisit } from '../native/plugin.js';
import { type Callee, HookWork, type Read } from './hook-work.js';
import { readPatch } from './marshal.js';
import type { Caller, JsonObject, Patched, PluginResponse, Visit } from './plugin.js';

type FirstHook = NativeVisit['first'];

/** The plugin that is visited. */
export interface Host extends Callee {
  readonly executor: Pick<PluginExecutor, 'adopt'>;
  readonly readAnswer: Read<PluginResponse | null>;
}

/** The first hook of a visit, which leads to the others; tried again, it is a call like any other. */
export class VisitWork<T> extends HookWork<T> implements NativeVisit {
  private askedAtMs = 0;

  constructor(
    private readonly host: Host,
    readonly first: FirstHook,
    readonly requestJson: Text,
    args: readonly Text[],
    read: Read<T>,
    caller: Caller | undefined,
    private readonly visit: Visit,
    document?: Patched,
  ) {
    super(host, first, args, read, caller, document);
  }

  override begin(call: GuardedCall): ReturnType<NativePlugin['call']> {
    if (!this.visit.begin()) return super.begin(call);
    this.handToCaller(call);
    this.askedAtMs = call.startedAtMs;
    const answer = this.host.native.visit?.(this, call);
    if (answer) return answer;
    this.visit.end();
    return super.begin(call);
  }

  get endpoint(): string {
    return this.visit.endpoint;
  }

  get method(): string {
    return this.visit.method;
  }

  get responseHead(): string | null {
    return this.visit.responseHead;
  }

  next(hook: 'process_endpoint' | 'after_response'): GuardedCall<unknown> {
    const call = hook === 'process_endpoint' ? this.endpointCall() : this.responseCall();
    this.handToCaller(call);
    return call;
  }

  end(): void {
    this.visit.end();
  }

  abandon(error: unknown): void {
    this.visit.abandon(error);
  }

  private endpointCall(): GuardedCall<unknown> {
    const { host, requestJson, visit, caller, askedAtMs } = this;
    const args = [visit.endpoint, visit.method, requestJson];
    const work = new HookWork(host, 'process_endpoint', args, host.readAnswer, caller);
    return (visit.endpointAnswer = host.executor.adopt('process_endpoint', work, askedAtMs));
  }

  private responseCall(): GuardedCall<unknown> {
    const { host, visit, caller, askedAtMs } = this;
    const work = new ResponseWork(host, visit, caller);
    return (visit.patch = host.executor.adopt('after_response', work, askedAtMs));
  }
}

/** after_response as a visit has asked it: before there was a document of the response here. */
class ResponseWork extends HookWork<JsonObject | null> {
  constructor(
    host: Host,
    private readonly visit: Visit,
    caller: Caller | undefined,
  ) {
    super(host, 'after_response', [], readPatch, caller);
  }

  override begin(call: GuardedCall): ReturnType<NativePlugin['call']> {
    this.args = [this.visit.response!.toJson()];
    return super.begin(call);
  }

  override read(reply: NativeReply, call: GuardedCall): JsonObject | null {
    this.document = this.visit.response ?? undefined;
    return super.read(reply, call);
  }
}
