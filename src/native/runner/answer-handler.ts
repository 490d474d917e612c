import type { CallOrigin } from '../../call-ticket.js';
import type { BackworksError, PluginPhase } from '../../errors.js';
import type { NativeReply } from '../plugin.js';

/** Receives the answer to a frame. Exactly one of answered(), failed() and notBegun() is called, once. */
export interface AnswerHandler extends CallOrigin {
  /**
   * The answer has arrived: a hook's string, with its run time in nanoseconds as `value`; for STATUS and
   * LOADED the text that explains `value`.
   * @param plain whether it is an endpoint's answer that is sent unchanged
   */
  answered(reply: NativeReply, value: number, plain: boolean): void;
  /** The same, when the answer of a further hook follows. Returns false when no further hook is possible. */
  answeredAndGoesOn?(reply: NativeReply, value: number, plain: boolean): boolean;
  failed(error: BackworksError): void;
  /**
   * The process has ended without beginning this call, so another process may run it.
   * @param wasNext whether the process died while idle, with this call first in its queue
   */
  notBegun(wasNext: boolean): void;
  /** Whether the caller no longer needs the answer. */
  readonly cancelled?: boolean;
  /** `performance.now()` milliseconds at which the call ends; absent or Infinity for never. */
  readonly deadlineAtMs?: number;
  /** The function that is called. */
  readonly phase: PluginPhase;
  /** Number of the newest frame sent for this call; set by send(). */
  id: number;
}
