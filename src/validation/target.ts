import type { LoadedPlugin } from '../plugins/loaded-plugin.js';
import type { Caller } from '../plugins/plugin.js';
import type { Random } from './random.js';
import type { CheckInput } from './report.js';

/** The kinds of input that each function is checked with, besides random input. */
export const INPUT_KINDS = ['empty', 'huge', 'nested', 'encoding', 'hostile'] as const;
export type InputKind = (typeof INPUT_KINDS)[number];

/** What a function answered. */
export interface TargetAnswer {
  /** Equal for equal answers; null for NULL. */
  readonly text: string | null;
  /** The status with which before_request denied a request, 401 or 403; otherwise null. */
  readonly denied: number | null;
}

/** The arguments of one call. A server can send them. */
export interface TargetInput {
  /**
   * Makes the call.
   * @throws BackworksError when the plugin fails or its answer is unusable
   */
  ask(plugin: LoadedPlugin, caller: Caller): Promise<TargetAnswer>;
  describe(alone: boolean): CheckInput;
  /** Inputs with less in them, the simplest first. Some may be inputs that a server refuses: those are null. */
  simpler(): Iterable<TargetInput | null>;
  /** The same input as another request or call: caches cannot know it. */
  numbered(number: number): TargetInput;
}

/** A function of the plugin that requests can reach: a hook, or an operation. */
export interface Target {
  /** "before_request", or "operation" and a name. */
  readonly name: string;
  /** Ordinary input. */
  readonly ordinary: readonly TargetInput[];
  inputs(kind: InputKind): TargetInput[];
  /** Null when the server would refuse what was drawn. */
  random(random: Random): TargetInput | null;
}
