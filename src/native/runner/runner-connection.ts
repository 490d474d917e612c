import { PluginFailure, type PluginPhase, toBackworksError } from '../../errors.js';
import type { Text } from '../../long-text.js';
import type { AnswerHandler } from './answer-handler.js';
import { CallsInAnyOrder, CallsInOrder, type UnansweredCalls } from './unanswered-calls.js';
import { type CrashReport, readCrashReport } from '../process/crash-report.js';
import type { KillReason } from '../process/exit-cause.js';
import { failedFrame } from './failed-frame.js';
import { readMetric } from './metric-frame.js';
import type { PluginLogLine, Refusal } from '../plugin.js';
import { readRefusal } from './refusal-frame.js';
import { ReadPace } from '../process/read-pace.js';
import { FrameCounts, runnerPayloads } from '../protocol/frame-budgets.js';
import { FrameError, FrameParser, FrameWriter } from '../protocol/frames.js';
import { AnswerFlag, PROTOCOL_VERSION, RunnerFrame, ServerFrame } from '../protocol/protocol.js';
import { follows, RunningCalls } from './running-calls.js';
import type { SharedPage } from '../protocol/shared-page.js';
import type { RunnerPipes } from '../process/child-process.js';

/** A larger batch is written at once instead of at the end of the event-loop turn. */
const BATCH_BYTES_MAX = 64 * 1024;
/** The most that Node reads at once; more bytes may wait in the pipe. */
const FULL_READ_BYTES = 64 * 1024;
/** Shorter reads that complete no answer are counted. The reads of a long answer are longer. */
const SHORT_READ_BYTES = 16 * 1024;
/** This many such reads a second are made without a pause. Even many log lines and metrics need fewer. */
const READS_WITHOUT_ANSWER_MAX = 1000;
const ANSWER_FLAGS = AnswerFlag.MORE | AnswerFlag.PLAIN;
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** The frame type that answers a call; STATUS when the phase is not listed. */
const EXPECTED_ANSWER: Partial<Record<PluginPhase, number>> = {
  sandbox: RunnerFrame.READY,
  load: RunnerFrame.LOADED,
  before_request: RunnerFrame.REPLY,
  after_response: RunnerFrame.REPLY,
  process_endpoint: RunnerFrame.REPLY,
  call: RunnerFrame.REPLY,
};

export interface ConnectionEvents {
  /**
   * @param droppedBytes bytes of log lines that the runner dropped before this line
   * @throws FrameError when the plugin logs more than its runner would send
   */
  log(level: PluginLogLine['level'], text: string, droppedBytes: number): void;
  metric(name: string, delta: number): void;
  refused(refusal: Refusal): void;
  /** The first call without an answer is sent. */
  busy(): void;
  /** The last call without an answer is answered. */
  idle(): void;
  /** The process reported that it is crashing. It may still keep running. */
  crashed(): void;
  /** The runner broke the protocol. Nothing more is read from it. */
  broken(reason: NonNullable<KillReason>): void;
}

export interface ConnectionOptions {
  readonly plugin: string;
  /** Calls the runner works on at once. */
  readonly concurrency: number;
  /** Longest REPLY. */
  readonly replyBytesMax: number;
}

/**
 * The server's end of the runner protocol. Frames sent within one event-loop turn leave in one write;
 * answers are matched to calls, and the first unexpected frame ends the connection.
 */
export class RunnerConnection {
  /** Calls of hooks answered so far. */
  answered = 0;
  /** What the calls are doing. */
  readonly calls: RunningCalls;
  /** The process's crash report; null before a crash. */
  crash: CrashReport | null = null;
  private readonly plugin: string;
  private readonly parser: FrameParser;
  private readonly writer = new FrameWriter();
  private readonly pending: UnansweredCalls;
  private nextId = 1;
  /** The newest id that was written to the runner. */
  private writtenId = 0;
  private received = 0;
  /** Frames that answered a call. */
  private answers = 0;
  private readonly counts = new FrameCounts();
  private readonly pace: ReadPace;
  private flushScheduled = false;
  private helloReceived = false;
  private broken = false;
  private closed = false;
  private onDrained: (() => void) | null = null;

  constructor(
    private readonly pipes: RunnerPipes,
    private readonly shared: SharedPage,
    { plugin, concurrency, replyBytesMax }: ConnectionOptions,
    private readonly events: ConnectionEvents,
  ) {
    this.plugin = plugin;
    this.parser = new FrameParser(runnerPayloads(replyBytesMax), (...frame) => this.onFrame(...frame));
    this.pending = concurrency === 1 ? new CallsInOrder() : new CallsInAnyOrder();
    this.calls = new RunningCalls(this.pending, shared, concurrency);
    this.pace = new ReadPace(pipes.answers, READS_WITHOUT_ANSWER_MAX);
    pipes.answers.on('data', (chunk: Buffer) => this.onBytes(chunk));
    for (const pipe of [pipes.calls, pipes.answers]) {
      pipe.on('error', () => {
        // A broken pipe means that the process is ending; its exit is reported.
      });
    }
    this.writer.add(ServerFrame.HELLO, 0, 0, PROTOCOL_VERSION, []);
  }

  /** Calls without an answer yet. */
  get load(): number {
    return this.pending.size;
  }

  /** The process has ended, and the handlers of all calls were called. */
  get isClosed(): boolean {
    return this.closed;
  }

  /** Resolves when every call has its answer. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.load === 0) resolve();
      else this.onDrained = resolve;
    });
  }

  /** Sends a frame that has an answer. */
  send(type: number, detail: number, value: number, texts: readonly Text[], handler: AnswerHandler): void {
    if (this.closed) {
      handler.notBegun(false);
      return;
    }
    const id = this.nextId;
    // First, because a call whose frame cannot be written would never be answered.
    this.writer.add(type, id, detail, value, texts);
    this.nextId = id === 0xffff_ffff ? 1 : id + 1;
    handler.id = id;
    if (this.load === 0) this.events.busy();
    this.pending.add(handler);
    if (this.writer.size >= BATCH_BYTES_MAX) this.flush();
    else if (!this.flushScheduled) {
      this.flushScheduled = true;
      setImmediate(this.flush);
    }
  }

  /** Asks the runner not to begin a waiting call. */
  cancel(id: number): void {
    this.shared.cancel(id);
  }

  /**
   * Ends the connection after the process has ended. Reads the remaining answers from the shared page, then
   * calls the handler of every call without an answer.
   * @param killedFor the call for which the server killed the process; 0 for none
   * @param explain creates the failure, for the charged call or for no call ('idle')
   */
  close(
    killedFor: number,
    explain: (phase: PluginPhase, requestId: string | undefined) => PluginFailure | null,
  ): void {
    if (!this.broken) this.parse(this.shared.undelivered(this.received));
    this.closed = true;
    this.pipes.calls.destroy();
    this.pipes.answers.destroy();
    const charged = this.calls.charged(killedFor);
    const newest = this.shared.begun();
    const lost = this.pending.takeAll();
    const failure = explain(charged?.phase ?? 'idle', charged?.requestId ?? undefined);
    for (const call of lost) {
      try {
        if (call === charged && failure !== null) call.failed(failure);
        else if (this.calls.hasBegun(call.id, newest)) call.failed(this.processEnded(call.phase));
        else call.notBegun(call === lost[0]);
      } catch (defect) {
        // The other calls must still be settled.
        call.failed(toBackworksError(defect));
      }
    }
    this.onDrained?.();
  }

  private readonly flush = (): void => {
    this.flushScheduled = false;
    if (this.writer.size === 0 || this.closed) return;
    const { oldest } = this.pending;
    if (oldest !== undefined && follows(oldest.id, this.writtenId)) this.pending.restartOldest();
    this.writtenId = this.nextId - 1;
    const { calls } = this.pipes;
    const chunks = this.writer.take();
    if (chunks.length > 1) calls.cork();
    for (const chunk of chunks) calls.write(chunk);
    if (chunks.length > 1) calls.uncork();
  };

  /** Node reads a full pipe 32 times in a turn, so a plugin that floods the pipe would stall all others. */
  private yieldToOtherPipes(): void {
    this.pipes.answers.pause();
    setImmediate(() => {
      if (!this.closed) this.pipes.answers.resume();
    });
  }

  private onBytes(chunk: Buffer): void {
    const { answers } = this;
    this.received += chunk.length;
    this.parse(chunk);
    if (chunk.length >= FULL_READ_BYTES) this.yieldToOtherPipes();
    else if (this.answers === answers && chunk.length < SHORT_READ_BYTES) this.pace.count();
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
    if (!this.helloReceived) this.onHello(type, value);
    else if (this.crash !== null) this.break({ kind: 'crash_report' });
    else if (type === RunnerFrame.REPLY || type === RunnerFrame.EMPTY)
      this.onAnswer(type, id, detail, value, payload);
    else this.onOther(type, id, detail, value, payload);
  }

  private onOther(type: number, id: number, detail: number, value: number, payload: Buffer): void {
    this.counts.add(type);
    if (type === RunnerFrame.LOG) this.events.log(LEVELS[detail] ?? 'info', payload.toString(), value);
    else if (type === RunnerFrame.METRIC) this.onMetric(payload);
    else if (type === RunnerFrame.REFUSED) this.events.refused(readRefusal(detail, value, payload));
    else if (type === RunnerFrame.CRASHED) this.onCrash(readCrashReport(value, payload));
    else this.onAnswer(type, id, detail, value, payload);
  }

  /** Handles the last frame of a process that is about to end. */
  private onCrash(crash: CrashReport): void {
    this.crash = crash;
    this.events.crashed();
  }

  private onHello(type: number, version: number): void {
    if (type !== RunnerFrame.HELLO) throw new FrameError(`frame type ${type} before HELLO`);
    this.counts.add(type);
    this.helloReceived = true;
    if (version === PROTOCOL_VERSION) return;
    const message = `the runner speaks protocol ${version}, this server speaks ${PROTOCOL_VERSION}`;
    this.break({ kind: 'version', message });
  }

  private onMetric(payload: Buffer): void {
    const { name, delta } = readMetric(payload);
    this.events.metric(name, delta);
  }

  private onAnswer(type: number, id: number, detail: number, value: number, payload: Buffer): void {
    const call = this.pending.answerable(id);
    if (typeof call === 'string') throw new FrameError(call);
    const expected = EXPECTED_ANSWER[call.phase] ?? RunnerFrame.STATUS;
    const fits = type === expected || (type === RunnerFrame.EMPTY && expected === RunnerFrame.REPLY);
    if (!fits && type !== RunnerFrame.FAILED)
      throw new FrameError(`frame type ${type} as the answer of ${call.phase}`);
    this.answers += 1;
    if (expected === RunnerFrame.REPLY) {
      this.answered += 1;
      if (type !== RunnerFrame.FAILED) {
        this.onReply(call, type === RunnerFrame.REPLY ? payload : null, value, detail);
        return;
      }
    }
    this.forget(call);
    if (type === RunnerFrame.FAILED) call.failed(failedFrame(this.plugin, call, detail, payload));
    else call.answered(payload.toString(), value, false);
  }

  private onReply(call: AnswerHandler, reply: Buffer | null, value: number, flags: number): void {
    if (flags > ANSWER_FLAGS) throw new FrameError(`answer with unknown flags ${flags}`);
    const plain = (flags & AnswerFlag.PLAIN) !== 0;
    if ((flags & AnswerFlag.MORE) === 0) {
      this.forget(call);
      call.answered(reply, value, plain);
    } else if (call.answeredAndGoesOn?.(reply, value, plain) === true) {
      if (call === this.pending.oldest) this.pending.restartOldest();
    } else throw new FrameError(`more than one answer of ${call.phase}`);
  }

  private forget(call: AnswerHandler): void {
    this.pending.forget(call);
    if (this.load > 0) return;
    this.events.idle();
    this.onDrained?.();
  }

  private processEnded(phase: PluginPhase): PluginFailure {
    const message = `the process of plugin ${this.plugin} ended before it answered the call`;
    return new PluginFailure('BW_PLUGIN_UNAVAILABLE', message, {
      plugin: this.plugin,
      phase,
      retryAfterMs: 0,
    });
  }
}
