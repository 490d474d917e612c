import type { Socket } from 'node:net';
import { type BackworksError, PluginFailure, type PluginPhase } from '../errors.js';
import type { KillReason } from './exit-cause.js';
import type { NativeReply, PluginLogLine } from './native-plugin.js';
import { printable } from './plugin-output.js';
import {
  Failure,
  FRAME_PAYLOAD_MAX,
  FrameError,
  FrameParser,
  FrameWriter,
  PROTOCOL_VERSION,
  RunnerFrame,
  ServerFrame,
} from './protocol.js';

/** Batches beyond this are written at once instead of at the end of the event-loop turn. */
const BATCH_BYTES_MAX = 64 * 1024;
/** Answered calls are dropped from the front of the queue in lots of this size. */
const FORGET_LOT = 1024;
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** What the frame that answers a call must be; STATUS where nothing else is said. */
const EXPECTED_ANSWER: Partial<Record<PluginPhase, number>> = {
  load: RunnerFrame.LOADED,
  before_request: RunnerFrame.REPLY,
  after_response: RunnerFrame.REPLY,
  process_endpoint: RunnerFrame.REPLY,
  call: RunnerFrame.REPLY,
};

/** An answer frame: a hook's string, or a status with the text that explains it. */
export interface Answer {
  readonly reply: NativeReply;
  readonly value: number;
}

interface PendingAnswer {
  readonly id: number;
  readonly phase: PluginPhase;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: BackworksError) => void;
}

export interface ConnectionEvents {
  log(level: PluginLogLine['level'], text: string): void;
  metric(name: string, delta: number): void;
  /** The runner broke the rules; nothing it sends is read any more. */
  broken(reason: NonNullable<KillReason>): void;
}

/**
 * The server's end of the runner protocol. Frames sent within one event-loop turn leave in one write;
 * answers are matched to calls in order, and the first frame that does not fit ends the conversation.
 */
export class RunnerConnection {
  /** Calls answered so far. */
  answered = 0;
  private readonly parser = new FrameParser(FRAME_PAYLOAD_MAX, (...frame) => this.onFrame(...frame));
  private readonly writer = new FrameWriter();
  private pending: PendingAnswer[] = [];
  private oldest = 0;
  private nextId = 1;
  private flushScheduled = false;
  private greeted = false;
  private broken = false;
  private closed = false;

  constructor(
    private readonly socket: Socket,
    private readonly plugin: string,
    private readonly events: ConnectionEvents,
  ) {
    socket.on('data', this.onData);
    socket.on('error', () => {
      // A broken socket means a process that is ending; its exit is what counts.
    });
    this.writer.add(ServerFrame.HELLO, 0, 0, PROTOCOL_VERSION, []);
  }

  /** Calls without an answer yet. */
  get load(): number {
    return this.pending.length - this.oldest;
  }

  /** Sends a frame that asks for an answer. @throws PluginFailure (as a rejection). */
  send(
    type: number,
    detail: number,
    value: number,
    strings: readonly string[],
    phase: PluginPhase,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.closed) {
        reject(this.lost(phase));
        return;
      }
      const id = this.nextId;
      this.nextId = id === 0xffff_ffff ? 1 : id + 1;
      this.pending.push({ id, phase, resolve, reject });
      this.writer.add(type, id, detail, value, strings);
      if (this.writer.size >= BATCH_BYTES_MAX) this.flush();
      else if (!this.flushScheduled) {
        this.flushScheduled = true;
        setImmediate(this.flush);
      }
    });
  }

  /**
   * Ends the conversation. The oldest call without an answer, which was the running one, is rejected
   * with what `explain` makes of its phase; the others are told that their process is gone.
   */
  close(explain: (phase: PluginPhase) => PluginFailure | null): void {
    this.closed = true;
    this.socket.destroy();
    const lost = this.pending.slice(this.oldest);
    this.pending = [];
    this.oldest = 0;
    const failure = explain(lost[0]?.phase ?? 'idle');
    lost.forEach((call, index) => call.reject(index === 0 && failure ? failure : this.lost(call.phase)));
  }

  private readonly flush = (): void => {
    this.flushScheduled = false;
    if (this.writer.size > 0 && !this.closed) this.socket.write(this.writer.take());
  };

  private readonly onData = (chunk: Buffer): void => {
    if (this.broken) return;
    try {
      this.parser.push(chunk);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.break({ kind: 'protocol', message: error.message });
    }
  };

  private break(reason: NonNullable<KillReason>): void {
    this.broken = true;
    this.events.broken(reason);
  }

  private onFrame(type: number, id: number, detail: number, value: number, payload: Buffer): void {
    if (this.broken) return;
    if (!this.greeted) this.greet(type, value);
    else if (type === RunnerFrame.LOG) this.events.log(LEVELS[detail] ?? 'info', payload.toString());
    else if (type === RunnerFrame.METRIC) this.onMetric(payload);
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
    if (payload.length <= 8) throw new FrameError('METRIC frame without a name');
    this.events.metric(payload.toString('utf8', 8), payload.readDoubleLE(0));
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
    if (type === RunnerFrame.FAILED) call.reject(this.failed(call.phase, detail, payload));
    else if (type === RunnerFrame.REPLY) call.resolve({ reply: payload, value });
    else if (type === RunnerFrame.EMPTY) call.resolve({ reply: null, value });
    else call.resolve({ reply: payload.toString(), value });
  }

  private forgetOldest(): void {
    this.answered += 1;
    this.oldest += 1;
    if (this.oldest === this.pending.length) {
      this.pending = [];
      this.oldest = 0;
    } else if (this.oldest >= FORGET_LOT) {
      this.pending = this.pending.slice(this.oldest);
      this.oldest = 0;
    }
  }

  private failed(phase: PluginPhase, failure: number, payload: Buffer): PluginFailure {
    const text = printable(payload.toString());
    const details = { plugin: this.plugin, phase };
    switch (failure) {
      case Failure.LOAD:
        return new PluginFailure(
          'BW_PLUGIN_LOAD',
          `plugin ${this.plugin} cannot be loaded: ${text}`,
          details,
        );
      case Failure.ABI:
        return new PluginFailure(
          'BW_PLUGIN_ABI',
          `plugin ${this.plugin} does not fit this server: ${text}`,
          details,
        );
      default:
        return new PluginFailure('BW_PLUGIN_BAD_RESPONSE', `plugin ${this.plugin}: ${text}`, details);
    }
  }

  private lost(phase: PluginPhase): PluginFailure {
    const message = `plugin ${this.plugin} lost its process before it answered`;
    return new PluginFailure('BW_PLUGIN_UNAVAILABLE', message, { plugin: this.plugin, phase });
  }
}
