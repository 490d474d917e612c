import type { CallTicket } from '../../call-ticket.js';
import type { Listener } from '../../deferred.js';
import type { Text } from '../../long-text.js';
import { type BackworksError, toBackworksError } from '../../errors.js';
import { type Dispatcher, HookCall } from './hook-call.js';
import type { NativeReply, NativeHookBatch } from '../plugin.js';
import { ServerFrame, BatchStep } from '../protocol/protocol.js';
import type { RunnerProcess } from '../runner/runner-process.js';

/**
 * Hooks of one request that are sent to a process in one frame. This call settles with the answer of the
 * first hook; `batch.next()` returns the listener for each further hook.
 */
export class HookBatchCall extends HookCall {
  /** The listener for the current hook's answer; null while the first hook runs. */
  private follower: Listener<NativeReply> | null = null;
  private givenUp = false;

  constructor(
    private readonly batch: NativeHookBatch,
    ticket: CallTicket,
    dispatcher: Dispatcher,
  ) {
    super(batch.first, batchArguments(batch), ticket, dispatcher);
  }

  protected override send(process: RunnerProcess, leftMs: number): void {
    process.call(ServerFrame.BATCH, steps(this.batch), this.args, leftMs, this);
  }

  /** Takes an answer after which the process calls another hook. False when no hook can follow. */
  answeredAndGoesOn(reply: NativeReply, ownNs: number, plain: boolean): boolean {
    const next = this.nextHook(plain);
    if (next === null) return false;
    this.phase = next;
    if (this.givenUp) {
      // The caller no longer waits for the remaining hooks, but they must not run for ever.
      this.process?.expire(this.id, this.limitMs, () => {});
      return true;
    }
    const { ticket, follower } = this;
    let call: ReturnType<NativeHookBatch['next']>;
    try {
      call = this.batch.next(next);
    } catch (defect) {
      this.giveUp(toBackworksError(defect));
      return true;
    }
    this.useTicket(call);
    this.follower = call;
    ticket.report?.(ownNs, plain);
    this.settleHook(follower, reply);
    return true;
  }

  override answered(reply: NativeReply, ownNs: number, plain: boolean): void {
    this.batch.end();
    this.ticket.report?.(ownNs, plain);
    this.settleHook(this.follower, reply);
  }

  private settleHook(follower: Listener<NativeReply> | null, reply: NativeReply): void {
    if (follower === null) this.resolve(reply);
    else follower.answered(reply);
  }

  override failed(error: BackworksError): void {
    this.batch.end();
    if (this.follower === null) super.failed(error);
    else this.follower.failed(error);
  }

  /** The process may already have begun the next hook, so no other process may call it. */
  protected override giveUp(error: BackworksError): void {
    this.givenUp = true;
    this.process?.cancel(this.id);
    this.batch.abandon(error);
    this.failed(error);
  }

  private nextHook(plain: boolean): 'process_endpoint' | 'after_response' | null {
    // The reply is null, or a patch that the runner has applied for the plugin's next hooks.
    if (this.phase === 'before_request') return 'process_endpoint';
    const { responseHead } = this.batch;
    return this.phase === 'process_endpoint' && plain && responseHead !== null ? 'after_response' : null;
  }
}

function steps({ first, responseHead }: NativeHookBatch): number {
  const before = first === 'before_request' ? BatchStep.BEFORE_REQUEST : 0;
  const after = responseHead === null ? 0 : BatchStep.AFTER_RESPONSE;
  return before | BatchStep.PROCESS_ENDPOINT | after;
}

function batchArguments({ requestJson, endpoint, method, responseHead }: NativeHookBatch): readonly Text[] {
  const args: Text[] = [requestJson, endpoint, method];
  if (responseHead !== null) args.push(responseHead);
  return args;
}
