import type { BackworksError } from '../errors.js';
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
}

/**
 * One call of a hook on its way through processes: it moves to another when the one it waited in is
 * gone, and is never sent again once it has begun.
 */
export class HookCall implements AnswerHandler {
  private process: RunnerProcess | null = null;
  private id = 0;
  private lostProcesses = 0;
  /** Nobody waits for the answer any more. */
  abandoned = false;

  constructor(
    private readonly hook: Hook,
    private readonly args: readonly string[],
    private readonly context: CallContext,
    private readonly dispatcher: Dispatcher,
    private readonly resolve: (reply: NativeReply) => void,
    private readonly reject: (error: BackworksError) => void,
  ) {
    const limitMs = context.deadlineAtMs - performance.now();
    context.stop = (reason) => {
      this.abandoned = true;
      if (this.process === null) this.reject(this.dispatcher.unavailable());
      else this.process.stop(this.id, reason, limitMs, this.reject);
    };
  }

  get requestId(): string | null {
    return this.context.requestId ?? null;
  }

  get deadlineAtMs(): number {
    return this.context.deadlineAtMs;
  }

  sendTo(process: RunnerProcess): void {
    this.process = process;
    this.id = process.call(this.hook, this.args, this.deadlineAtMs - performance.now(), this);
  }

  answered(reply: NativeReply): void {
    this.resolve(reply);
  }

  failed(error: BackworksError): void {
    this.reject(error);
  }

  notBegun(wasNext: boolean): void {
    this.process = null;
    if (wasNext) this.lostProcesses += 1;
    if (this.abandoned || this.lostProcesses >= LOST_PROCESSES_MAX)
      this.reject(this.dispatcher.unavailable());
    else this.dispatcher.dispatch(this);
  }
}

/**
 * True when the arguments fit into one frame, and into a quarter of the memory of the process: a client
 * must not be able to end a plugin's processes by the size of its request.
 * @param memoryBytes the limit of the process; 0 for none
 */
export function fitsFrame(args: readonly string[], memoryBytes: number): boolean {
  const max = memoryBytes === 0 ? FRAME_PAYLOAD_MAX : Math.min(FRAME_PAYLOAD_MAX, memoryBytes / 4);
  let units = 0;
  for (const text of args) units += text.length + 1;
  if (units * UTF8_BYTES_PER_UNIT_MAX <= max) return true;
  return units <= max && payloadSize(args) <= max;
}
