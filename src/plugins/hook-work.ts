import { type PluginPhase, PluginFailure } from '../errors.js';
import type { GuardedCall } from '../execution/guarded-call.js';
import type { Work } from '../execution/hook-guard.js';
import type { Text } from '../long-text.js';
import type { Hook, NativePlugin, NativeReply } from '../native/native-plugin.js';
import type { Caller, Patched } from './plugin.js';
import { InvalidAnswer } from './response-check.js';

/** The plugin that is called. */
export interface Callee {
  readonly name: string;
  readonly native: Pick<NativePlugin, 'call'>;
  readonly parsedReplyBytes: number;
}

/** Reads a reply and applies it to the document, where it is a patch. @throws InvalidAnswer */
export type Read<T> = (reply: NativeReply, parsedBytesMax: number, document?: Patched) => T;

/** One call of a hook, as its executor makes it. */
export class HookWork<T> implements Work<NativeReply, T> {
  constructor(
    private readonly callee: Callee,
    private readonly hook: Hook,
    private readonly args: readonly Text[],
    private readonly readReply: Read<T>,
    private readonly caller: Caller | undefined,
    private readonly document?: Patched,
  ) {}

  begin(call: GuardedCall): ReturnType<NativePlugin['call']> {
    const { callee, caller } = this;
    if (caller !== undefined) {
      call.requestId = caller.id;
      if (caller.callers !== undefined) call.callers = caller.callers;
      caller.call = call;
    }
    return callee.native.call(this.hook, this.args, call);
  }

  /** Reads within the guards, so that an answer nobody can use counts as the plugin's failure. */
  read(reply: NativeReply): T {
    try {
      return this.readReply(reply, this.callee.parsedReplyBytes, this.document);
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
