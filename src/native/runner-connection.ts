import type { Socket } from 'node:net';
import { type BackworksError, PluginFailure, type PluginPhase } from '../errors.js';
import { type CrashReport, readCrashReport } from './crash-report.js';
import type { KillReason } from './exit-cause.js';
import { failedFrame } from './failed-frame.js';
import { MetricReader } from './metric-reader.js';
import type { NativeReply, PluginLogLine } from './native-plugin.js';
import { type Refusal, RefusalReader } from './refusal.js';
import { FrameError, FrameParser, FrameWriter } from './frames.js';
import { FRAME_PAYLOAD_MAX, PROTOCOL_VERSION, RunnerFrame, ServerFrame } from './protocol.js';
import type { SharedPage } from './shared-page.js';

/** Batches beyond this are written at once instead of at the end of the event-loop turn. */
const BATCH_BYTES_MAX = 64 * 1024;
/** As much as Node reads at once; more of it waits in the socket. */
const FULL_READ_BYTES = 64 * 1024;
/** Answered calls are dropped from the front of the queue in lots of this size. */
const FORGET_LOT = 64;
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** What the frame that answers a call must be; STATUS where nothing else is said. */
const EXPECTED_ANSWER: Partial<Record<PluginPhase, number>> = {
  sandbox: RunnerFrame.READY,
  load: RunnerFrame.LOADED,
  before_request: RunnerFrame.REPLY,
  after_response: RunnerFrame.REPLY,
  process_endpoint: RunnerFrame.REPLY,
  call: RunnerFrame.REPLY,
};

/** Whoever waits for an answer. Exactly one of the three is called, once. */
export interface AnswerHandler {
  /**
   * A hook's string, with the nanoseconds it took as `value`; for STATUS and LOADED the text that explains
   * `value`.
   */
  answered(reply: NativeReply, value: number): void;
  failed(error: BackworksError): void;
  /**
   * The process is gone and never began this call, so another may.
   * @param wasNext it died with nothing running and this call first in line
   */
  notBegun(wasNext: boolean): void;
  /** The request the call belongs to, for reports. */
  readonly requestId?: string | null;
  /** Plugins whose calls led to it. */
  readonly callers?: readonly string[];
  /** Nobody wants the answer any more. */
  readonly cancelled?: boolean;
  /** What is asked for. */
  readonly phase: PluginPhase;
  /** The number of the newest frame sent for it; set by send(). */
  id: number;
}

export interface ConnectionEvents {
  /**
   * @param droppedBytes what the runner did not let through before it
   * @throws FrameError when it is more than a runner sends
   */
  log(level: PluginLogLine['level'], text: string, droppedBytes: number): void;
  metric(name: string, delta: number): void;
  refused(refusal: Refusal): void;
  /** The runner broke the rules; nothing it sends is read any more. */
  broken(reason: NonNullable<KillReason>): void;
}

/**
 * The server's end of the runner protocol. Frames sent within one event-loop turn leave in one write;
 * answers are matched to calls in order, and the first frame that does not fit ends the conversation.
 */
export class RunnerConnection {
  /** Calls of hooks answered so far. */
  answered = 0;
  /** What the process said as it crashed; null until then. */
  crash: CrashReport | null = null;
  private readonly parser = new FrameParser(FRAME_PAYLOAD_MAX, (...frame) => this.onFrame(...frame));
  private readonly writer = new FrameWriter();
  private pending: AnswerHandler[] = [];
  private oldest = 0;
  private nextId = 1;
  private received = 0;
  private readonly metrics = new MetricReader();
  private readonly refusals = new RefusalReader();
  private flushScheduled = false;
  private greeted = false;
  private broken = false;
  private closed = false;
  private onDrained: (() => void) | null = null;

  constructor(
    private readonly socket: Socket,
    private readonly shared: SharedPage,
    private readonly plugin: string,
    private readonly events: ConnectionEvents,
  ) {
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.length;
      this.parse(chunk);
      if (chunk.length >= FULL_READ_BYTES) this.letOthersTakeTurns();
    });
    socket.on('error', () => {
      // A broken socket means a process that is ending; its exit is what counts.
    });
    this.writer.add(ServerFrame.HELLO, 0, 0, PROTOCOL_VERSION, []);
  }

  /** Calls without an answer yet. */
  get load(): number {
    return this.pending.length - this.oldest;
  }

  /** The process is gone, and every call has been told. */
  get isClosed(): boolean {
    return this.closed;
  }

  /** Resolves as soon as no call is without an answer. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.load === 0) resolve();
      else this.onDrained = resolve;
    });
  }

  /** Sends a frame that asks for an answer. */
  send(
    type: number,
    detail: number,
    value: number,
    strings: readonly string[],
    handler: AnswerHandler,
  ): void {
    if (this.closed) {
      handler.notBegun(false);
      return;
    }
    const id = this.nextId;
    this.nextId = id === 0xffff_ffff ? 1 : id + 1;
    handler.id = id;
    this.pending.push(handler);
    this.writer.add(type, id, detail, value, strings);
    if (this.writer.size >= BATCH_BYTES_MAX) this.flush();
    else if (!this.flushScheduled) {
      this.flushScheduled = true;
      setImmediate(this.flush);
    }
  }

  /**
   * Where a call stands: 'waiting' behind another, 'stalled' when nothing runs and the runner has not
   * begun the oldest call either, 'answered' when its answer is in or on its way.
   */
  stateOf(id: number): 'running' | 'waiting' | 'stalled' | 'answered' {
    const oldest = this.pending[this.oldest];
    if (oldest === undefined || follows(oldest.id, id)) return 'answered';
    if (!this.shared.isShared) return 'running';
    const begun = this.shared.begun();
    if (follows(begun, id)) return 'answered';
    if (begun === id) return 'running';
    return follows(oldest.id, begun) ? 'stalled' : 'waiting';
  }

  /** The call that runs; null when none does or nobody knows. */
  get running(): AnswerHandler | null {
    if (!this.shared.isShared || this.load === 0) return null;
    const begun = this.shared.begun();
    return this.pending.find(({ id }, index) => index >= this.oldest && id === begun) ?? null;
  }

  /** For how long the running call has been running, in milliseconds. */
  runningForMs(): number {
    return this.shared.isShared ? this.shared.runningForMs() : Infinity;
  }

  /** Asks the runner not to begin a call that waits. */
  cancel(id: number): void {
    this.shared.cancel(id);
  }

  /**
   * Ends the conversation after the process has ended: takes what it still left, then tells every call
   * without an answer what became of it.
   * @param explain makes the failure of the call that was running, or of none ('idle')
   */
  close(explain: (phase: PluginPhase, requestId: string | undefined) => PluginFailure | null): void {
    if (!this.broken) this.parse(this.shared.undelivered(this.received));
    this.closed = true;
    this.socket.destroy();
    const lost = this.pending.slice(this.oldest);
    this.pending = [];
    this.oldest = 0;
    const begun = this.shared.isShared ? this.shared.begun() : (lost.at(-1)?.id ?? 0);
    const running = lost.find(({ id }) => id === begun) ?? (this.shared.isShared ? undefined : lost[0]);
    const failure = explain(running?.phase ?? 'idle', running?.requestId ?? undefined);
    for (const call of lost) {
      if (call === running && failure !== null) call.failed(failure);
      else if (follows(call.id, begun)) call.notBegun(call === lost[0]);
      else call.failed(this.lost(call.phase));
    }
    this.onDrained?.();
  }

  private readonly flush = (): void => {
    this.flushScheduled = false;
    if (this.writer.size > 0 && !this.closed) this.socket.write(this.writer.take());
  };

  /** Node reads a socket that is always full 32 times a turn: a plugin that floods it would stall all others. */
  private letOthersTakeTurns(): void {
    this.socket.pause();
    setImmediate(() => {
      if (!this.closed) this.socket.resume();
    });
  }

  private parse(bytes: Buffer): void {
    if (this.broken) return;
    try {
      this.parser.push(bytes);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.break({ kind: 'protocol', message: error.message });
    }
  }

  private break(reason: NonNullable<KillReason>): void {
    this.broken = true;
    this.events.broken(reason);
  }

  private onFrame(type: number, id: number, detail: number, value: number, payload: Buffer): void {
    if (this.broken) return;
    if (!this.greeted) this.greet(type, value);
    else if (type === RunnerFrame.LOG) this.events.log(LEVELS[detail] ?? 'info', payload.toString(), value);
    else if (type === RunnerFrame.METRIC) this.onMetric(payload);
    else if (type === RunnerFrame.REFUSED) this.events.refused(this.refusals.read(detail, value, payload));
    else if (type === RunnerFrame.CRASHED) this.crash = readCrashReport(value, payload);
    else this.onAnswer(type, id, detail, value, payload);
  }

  private greet(type: number, version: number): void {
    if (type !== RunnerFrame.HELLO) throw new FrameError(`frame type ${type} before HELLO`);
    this.greeted = true;
    if (version === PROTOCOL_VERSION) return;
    const message = `the runner speaks protocol ${version}, this server speaks ${PROTOCOL_VERSION}`;
    this.break({ kind: 'version', message });
  }

  private onMetric(payload: Buffer): void {
    const { name, delta } = this.metrics.read(payload);
    this.events.metric(name, delta);
  }

  private onAnswer(type: number, id: number, detail: number, value: number, payload: Buffer): void {
    const call = this.pending[this.oldest];
    if (call === undefined) throw new FrameError(`answer ${id} to no call`);
    if (call.id !== id) throw new FrameError(`answer ${id} where ${call.id} was due`);
    const expected = EXPECTED_ANSWER[call.phase] ?? RunnerFrame.STATUS;
    const fits = type === expected || (type === RunnerFrame.EMPTY && expected === RunnerFrame.REPLY);
    if (!fits && type !== RunnerFrame.FAILED)
      throw new FrameError(`frame type ${type} answers ${call.phase}`);
    this.forgetOldest();
    if (expected === RunnerFrame.REPLY) this.answered += 1;
    if (type === RunnerFrame.FAILED) call.failed(failedFrame(this.plugin, call, detail, payload));
    else if (type === RunnerFrame.REPLY) call.answered(payload, value);
    else if (type === RunnerFrame.EMPTY) call.answered(null, value);
    else call.answered(payload.toString(), value);
  }

  private forgetOldest(): void {
    this.oldest += 1;
    if (this.oldest === this.pending.length) {
      this.pending = [];
      this.oldest = 0;
      this.onDrained?.();
    } else if (this.oldest >= FORGET_LOT) {
      this.pending = this.pending.slice(this.oldest);
      this.oldest = 0;
    }
  }

  private lost(phase: PluginPhase): PluginFailure {
    const message = `plugin ${this.plugin} lost its process before it answered`;
    return new PluginFailure('BW_PLUGIN_UNAVAILABLE', message, { plugin: this.plugin, phase });
  }
}

/** Whether id `a` was given out after id `b`; ids wrap around at 32 bits. */
function follows(a: number, b: number): boolean {
  return a !== b && (a - b) >>> 0 < 0x8000_0000;
}
