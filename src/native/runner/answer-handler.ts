import type { CallOrigin } from '../../call-ticket.js';
import type { BackworksError, PluginPhase } from '../../errors.js';
import type { NativeReply } from '../plugin.js';

/** Whoever waits for an answer. Exactly one of the three is called, once. */
export interface AnswerHandler extends CallOrigin {
  /**
   * A hook's string, with the nanoseconds it took as `value`; for STATUS and LOADED the text that explains
   * `value`.
   * @param plain it is an endpoint's answer that goes out as it is
   */
  answered(reply: NativeReply, value: number, plain: boolean): void;
  /** The same, and the answer to a further hook follows. False when none can. */
  answeredAndGoesOn?(reply: NativeReply, value: number, plain: boolean): boolean;
  failed(error: BackworksError): void;
  /**
   * The process is gone and never began this call, so another may.
   * @param wasNext it died with nothing running and this call first in line
   */
  notBegun(wasNext: boolean): void;
  /** Nobody wants the answer any more. */
  readonly cancelled?: boolean;
  /** What is asked for. */
  readonly phase: PluginPhase;
  /** The number of the newest frame sent for it; set by send(). */
  id: number;
}
