import { Deferred } from '../deferred.js';
import type { BackworksError } from '../errors.js';
import type { Text } from '../long-text.js';
import type { CallContext, Hook, NativeReply } from './native-plugin.js';
import { payloadSize } from './frames.js';
import { FRAME_PAYLOAD_MAX } from './protocol.js';
import type { AnswerHandler } from './runner-connection.js';
import type { RunnerProcess } from './runner-process.js';

/** Processes that may die while this call is next, with nothing running; then something is wrong with it. */
const LOST_PROCESSES_MAX = 5;

const UTF8_BYTES_PER_UNIT_MAX = 3;

/** Finds a process for a call. */
export interface Dispatcher {
  dispatch(call: HookCall): void;
  /** The failure of a call that no process will take. */
  unavailable(): BackworksError;
  /** The error of a call nobody waits for any more. */
  cancelled(): BackworksError;
}

/**
 * One call of a hook on its way through processes: it moves to another when the one it waited in is
 * gone, and is never sent again once it has begun.
 */
export class HookCall extends Deferred<NativeReply> implements AnswerHandler {
  id = 0;
  cancelled = false;
  private process: RunnerProcess | null = null;
  private lostProcesses = 0;
  private expired = false;
  private readonly limitMs: number;

  constructor(
    readonly phase: Hook,
    private readonly args: readonly Text[],
    private readonly context: CallContext,
    private readonly dispatcher: Dispatcher,
  ) {
    super();
    this.limitMs = context.deadlineAtMs - performance.now();
    context.stop = (reason) => (reason === 'deadline' ? this.expire() : this.cancel());
  }

  get requestId(): string | null {
    return this.context.requestId ?? null;
  }

  get callers(): readonly string[] {
    return this.context.callers ?? [];
  }

  get deadlineAtMs(): number {
    return this.context.deadlineAtMs;
  }

  /** Nobody waits for the answer any more. */
  get abandoned(): boolean {
    return this.expired || this.cancelled;
  }

  sendTo(process: RunnerProcess): void {
    const leftMs = this.id === 0 ? this.limitMs : this.deadlineAtMs - performance.now();
    this.process = process;
    process.call(this.phase, this.args, leftMs, this);
  }

  answered(reply: NativeReply, ownNs: number): void {
    this.context.ownNs = ownNs > 0 ? ownNs : 0;
    this.resolve(reply);
  }

  failed(error: BackworksError): void {
    this.reject(error);
  }

  notBegun(wasNext: boolean): void {
    this.process = null;
    if (wasNext) this.lostProcesses += 1;
    if (this.cancelled) this.reject(this.dispatcher.cancelled());
    else if (this.expired || this.lostProcesses >= LOST_PROCESSES_MAX)
      this.reject(this.dispatcher.unavailable());
    else this.dispatcher.dispatch(this);
  }

  private expire(): void {
    this.expired = true;
    if (this.process === null) this.reject(this.dispatcher.unavailable());
    else this.process.expire(this.id, this.limitMs, (error) => this.reject(this.outcome(error)));
  }

  /** A process still has the call then, and answers that it did not begin it, or did. */
  private cancel(): void {
    this.cancelled = true;
    if (this.process === null) this.reject(this.dispatcher.cancelled());
    else this.process.cancel(this.id);
  }

  /** That there was no time for a call is nobody's failure when nobody wanted it any more. */
  private outcome(error: BackworksError): BackworksError {
    return this.cancelled ? this.dispatcher.cancelled() : error;
  }
}

/**
 * Longest payload of a call: one frame, and a quarter of the memory of the process, as a client must
 * not be able to end a plugin's processes by the size of its request.
 * @param memoryBytes the limit of the process; 0 for none
 */
export function requestBytesMax(memoryBytes: number): number {
  return memoryBytes === 0 ? FRAME_PAYLOAD_MAX : Math.min(FRAME_PAYLOAD_MAX, Math.floor(memoryBytes / 4));
}

/** Whether a call with these arguments may be sent. @param memoryBytes as above */
export function fitsFrame(args: readonly Text[], memoryBytes: number): boolean {
  const max = requestBytesMax(memoryBytes);
  let units = 0;
  for (const text of args) units += text.length + 1;
  if (units * UTF8_BYTES_PER_UNIT_MAX <= max) return true;
  return units <= max && payloadSize(args) <= max;
}
