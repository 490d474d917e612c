import type { CallTicket, CallTrace } from '../../call-ticket.js';
import { Deferred } from '../../deferred.js';
import type { BackworksError } from '../../errors.js';
import type { Text } from '../../long-text.js';
import type { Hook, NativeReply } from '../plugin.js';
import { payloadSize } from '../protocol/frames.js';
import { FRAME_PAYLOAD_MAX, HOOK_NUMBER, ServerFrame } from '../protocol/protocol.js';
import type { AnswerHandler } from '../runner/answer-handler.js';
import type { RunnerProcess } from '../runner/runner-process.js';

/** After this many idle processes died with this call next in their queue, the call fails. */
const LOST_PROCESSES_MAX = 5;

/** The longest time between a deadline and the end of the process, with the answers that it had not sent. */
const HELD_ANSWER_MS = 300;

const UTF8_BYTES_PER_UNIT_MAX = 3;

/** Finds a process for a call. */
export interface Dispatcher {
  dispatch(call: HookCall): void;
  /** The failure of a call that no process will take. */
  unavailable(): BackworksError;
  /** The error of a call whose client has disconnected. */
  cancelled(): BackworksError;
}

/**
 * One call of a hook. When the process it waits in ends, the call moves to another process. Once begun,
 * it is never sent again.
 */
export class HookCall extends Deferred<NativeReply> implements AnswerHandler {
  id = 0;
  cancelled = false;
  protected process: RunnerProcess | null = null;
  private lostProcesses = 0;
  private expired = false;
  protected limitMs = 0;

  constructor(
    public phase: Hook,
    protected readonly args: readonly Text[],
    protected ticket: CallTicket,
    private readonly dispatcher: Dispatcher,
  ) {
    super();
    this.useTicket(ticket);
  }

  protected useTicket(ticket: CallTicket): void {
    this.ticket = ticket;
    this.expired = false;
    this.limitMs = ticket.deadlineAtMs - performance.now();
    ticket.onStop((reason) => (reason === 'deadline' ? this.expire() : this.cancel()));
  }

  get requestId(): string | null {
    return this.ticket.requestId;
  }

  get callers(): readonly string[] {
    return this.ticket.callers;
  }

  get trace(): CallTrace | null {
    return this.ticket.trace;
  }

  get deadlineAtMs(): number {
    return this.ticket.deadlineAtMs;
  }

  /** The deadline has passed or the client has disconnected: the answer is no longer needed. */
  get abandoned(): boolean {
    return this.expired || this.cancelled;
  }

  /** Whether the arguments fit into a frame. @param memoryBytes limit of the process; 0 for none */
  fits(memoryBytes: number): boolean {
    return fitsFrame(this.args, memoryBytes);
  }

  sendTo(process: RunnerProcess): void {
    const leftMs = this.id === 0 ? this.limitMs : this.deadlineAtMs - performance.now();
    this.process = process;
    this.send(process, leftMs);
  }

  protected send(process: RunnerProcess, leftMs: number): void {
    process.call(ServerFrame.CALL, HOOK_NUMBER[this.phase], this.args, leftMs, this);
  }

  answered(reply: NativeReply, ownNs: number, plain: boolean): void {
    this.ticket.report?.(ownNs, plain);
    this.resolve(reply);
  }

  failed(error: BackworksError): void {
    this.reject(error);
  }

  notBegun(wasNext: boolean): void {
    this.process = null;
    if (wasNext) this.lostProcesses += 1;
    if (this.cancelled) this.failed(this.dispatcher.cancelled());
    else if (this.expired || this.lostProcesses >= LOST_PROCESSES_MAX)
      this.failed(this.dispatcher.unavailable());
    else this.dispatcher.dispatch(this);
  }

  private expire(): void {
    const { ticket, process } = this;
    this.expired = true;
    if (process === null) {
      this.failed(this.dispatcher.unavailable());
      return;
    }
    // A later call hangs. When the process has been killed, the answer is found in the shared page.
    if (process.holdsAnswer(this.id)) ticket.extend?.(HELD_ANSWER_MS);
    process.expire(this.id, this.limitMs, (error) => {
      if (this.ticket === ticket) this.giveUp(this.outcome(error));
    });
  }

  /** Fails the call while a process still runs it. */
  protected giveUp(error: BackworksError): void {
    this.failed(error);
  }

  /** If a process has the call, its answer says whether the call had begun. */
  private cancel(): void {
    this.cancelled = true;
    if (this.process === null) this.failed(this.dispatcher.cancelled());
    else this.process.cancel(this.id);
  }

  /** After the client has disconnected, a missed deadline is not a failure of the plugin. */
  private outcome(error: BackworksError): BackworksError {
    return this.cancelled ? this.dispatcher.cancelled() : error;
  }
}

/**
 * Longest payload of a call: at most one frame, and at most a quarter of the process's memory, so that a
 * client cannot end a plugin's processes by the size of its request.
 * @param memoryBytes the limit of the process; 0 for none
 */
export function requestBytesMax(memoryBytes: number): number {
  return memoryBytes === 0 ? FRAME_PAYLOAD_MAX : Math.min(FRAME_PAYLOAD_MAX, Math.floor(memoryBytes / 4));
}

/** Whether a call with these arguments may be sent. @param memoryBytes as above */
function fitsFrame(args: readonly Text[], memoryBytes: number): boolean {
  const max = requestBytesMax(memoryBytes);
  let units = 0;
  for (const text of args) units += text.length + 1;
  if (units * UTF8_BYTES_PER_UNIT_MAX <= max) return true;
  return units <= max && payloadSize(args) <= max;
}
