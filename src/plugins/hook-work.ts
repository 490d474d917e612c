import { type PluginPhase, PluginFailure } from '../errors.js';
import { type CallTrace, NO_CALLERS } from '../call-ticket.js';
import type { GuardedCall } from '../execution/guarded-call.js';
import type { Work } from '../execution/hook-guard.js';
import type { Text } from '../long-text.js';
import type { Hook, NativePlugin, NativeReply } from '../native/plugin.js';
import type { Asked } from './marshal.js';
import type { Caller, Patched } from './plugin.js';
import { InvalidAnswer } from './response-check.js';

export interface Callee {
  readonly name: string;
  readonly native: Pick<NativePlugin, 'call' | 'batch'>;
  readonly parsedReplyBytes: number;
}

/**
 * Reads a reply and applies a patch to the document.
 * @param plain true if the reply is an endpoint's answer that is sent unchanged
 * @param asked has the document that the plugin answers
 * @throws InvalidAnswer
 */
export type Read<T> = (
  reply: NativeReply,
  parsedBytesMax: number,
  document: Patched | undefined,
  plain: boolean,
  asked: Asked,
) => T;

/** One hook call, for the executor. */
export class HookWork<T> implements Work<NativeReply, T>, Asked {
  constructor(
    private readonly callee: Callee,
    private readonly hook: Hook,
    protected args: readonly Text[],
    private readonly readReply: Read<T>,
    protected readonly caller: Caller | undefined,
    protected document?: Patched,
  ) {}

  begin(call: GuardedCall): ReturnType<NativePlugin['call']> {
    this.handToCaller(call);
    return this.callee.native.call(this.hook, this.args, call);
  }

  get requestId(): string | null {
    return this.caller?.id ?? null;
  }

  get callers(): readonly string[] {
    return this.caller?.callers ?? NO_CALLERS;
  }

  get trace(): CallTrace | null {
    return this.caller?.trace ?? null;
  }

  get sent(): Text | undefined {
    return this.args.at(-1);
  }

  /** Gives the call to its caller, so that the caller can cancel the call. */
  protected handToCaller(call: GuardedCall): void {
    if (this.caller !== undefined) this.caller.call = call;
  }

  /** Reads the reply within the guards, so that an unusable answer counts as a failure of the plugin. */
  read(reply: NativeReply, call: GuardedCall): T {
    try {
      const { callee, document } = this;
      return this.readReply(reply, callee.parsedReplyBytes, document, call.plain, this);
    } catch (error) {
      throw error instanceof InvalidAnswer ? this.badAnswer(error) : error;
    }
  }

  private badAnswer(reason: InvalidAnswer): PluginFailure {
    const { callee, caller } = this;
    const phase: PluginPhase = this.hook;
    const message = `plugin ${callee.name} gave an unusable answer to ${phase}: ${reason.message}`;
    const details = { plugin: callee.name, phase, cause: reason, requestId: caller?.id };
    return new PluginFailure('BW_PLUGIN_BAD_RESPONSE', message, details);
  }
}
