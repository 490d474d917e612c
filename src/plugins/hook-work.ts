import { type PluginPhase, PluginFailure } from '../errors.js';
import { NO_CALLERS } from '../call-ticket.js';
import type { GuardedCall } from '../execution/guarded-call.js';
import type { Work } from '../execution/hook-guard.js';
import type { Text } from '../long-text.js';
import type { Hook, NativePlugin, NativeReply } from '../native/plugin.js';
import type { Caller, Patched } from './plugin.js';
import { InvalidAnswer } from './response-check.js';

/** The plugin that is called. */
export interface Callee {
  readonly name: string;
  readonly native: Pick<NativePlugin, 'call' | 'batch'>;
  readonly parsedReplyBytes: number;
}

/**
 * Reads a reply and applies it to the document, where it is a patch.
 * @param plain it is an endpoint's answer that goes out as it is
 * @throws InvalidAnswer
 */
export type Read<T> = (
  reply: NativeReply,
  parsedBytesMax: number,
  document: Patched | undefined,
  plain: boolean,
) => T;

/** One call of a hook, as its executor makes it. */
export class HookWork<T> implements Work<NativeReply, T> {
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

  /** Lets whoever made the call cancel it. */
  protected handToCaller(call: GuardedCall): void {
    if (this.caller !== undefined) this.caller.call = call;
  }

  /** Reads within the guards, so that an answer nobody can use counts as the plugin's failure. */
  read(reply: NativeReply, call: GuardedCall): T {
    try {
      return this.readReply(reply, this.callee.parsedReplyBytes, this.document, call.plain);
    } catch (error) {
      throw error instanceof InvalidAnswer ? this.badAnswer(error) : error;
    }
  }

  private badAnswer(reason: InvalidAnswer): PluginFailure {
    const { callee, caller } = this;
    const phase: PluginPhase = this.hook;
    const message = `plugin ${callee.name} answered ${phase} with something unusable: ${reason.message}`;
    const details = { plugin: callee.name, phase, cause: reason, requestId: caller?.id };
    return new PluginFailure('BW_PLUGIN_BAD_RESPONSE', message, details);
  }
}
