import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { BackworksError, PluginFailure, type PluginPhase } from '../errors.js';
import { explainEnd, type KillReason } from './exit-cause.js';
import type { Hook, LibraryDescription, NativePluginOptions, NativeReply } from './native-plugin.js';
import { PluginOutput, printable } from './plugin-output.js';
import {
  Failure,
  FRAME_PAYLOAD_MAX,
  FrameError,
  FrameParser,
  FrameWriter,
  HOOK_NUMBER,
  payloadSize,
  PROTOCOL_VERSION,
  readFunctionBits,
  RunnerFrame,
  ServerFrame,
} from './protocol.js';

/** Batches beyond this are written at once instead of at the end of the event-loop turn. */
const BATCH_BYTES_MAX = 64 * 1024;
/** Answers sent before a process died arrive within this time after its exit was noticed. */
const DRAIN_AFTER_EXIT_MS = 50;
const NO_DEADLINE = -1;
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** What a frame from the runner answers. */
interface PendingAnswer {
  readonly id: number;
  readonly phase: PluginPhase;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: BackworksError) => void;
}

/** `text` is set for STATUS and LOADED frames only. */
interface Answer {
  readonly reply: NativeReply;
  readonly value: number;
}

export interface RunnerProcessEvents {
  /** The process is gone; everything outstanding has been rejected. `null`: it ended as asked. */
  ended(failure: PluginFailure | null): void;
}

/**
 * One runner process with one library in it. Calls are answered in the order they were made; frames
 * of one event-loop turn leave in one write.
 */
export class RunnerProcess {
  readonly startedAt = new Date();
  readonly pid: number;
  /** Calls answered so far. */
  answered = 0;
  private readonly child: ChildProcess;
  private readonly socket: Socket;
  private readonly parser: FrameParser;
  private readonly writer = new FrameWriter();
  private readonly output: PluginOutput;
  private outstanding: PendingAnswer[] = [];
  private oldest = 0;
  private nextId = 1;
  private flushScheduled = false;
  private greeted = false;
  private closing = false;
  private gone = false;
  private killReason: KillReason = null;

  /** @throws BackworksError BW_RUNNER_START when the process cannot be created. */
  constructor(
    runner: string,
    private readonly options: NativePluginOptions,
    private readonly events: RunnerProcessEvents,
  ) {
    this.child = spawn(runner, ['--parent', String(process.pid)], {
      cwd: '/',
      env: {},
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      windowsHide: true,
    });
    if (this.child.pid === undefined) {
      this.child.on('error', () => {});
      throw new BackworksError('BW_RUNNER_START', `the runner ${runner} cannot be started`, {
        hint: 'check that the file exists and may be executed',
      });
    }
    this.pid = this.child.pid;
    const [, stdout, stderr, socket] = this.child.stdio;
    this.output = new PluginOutput(options.logBytesPerSecond, (line) =>
      options.events.log({ ...line, pid: this.pid }),
    );
    this.output.attach(stdout as Readable, 'stdout');
    this.output.attach(stderr as Readable, 'stderr');
    this.socket = socket as Socket;
    this.parser = new FrameParser(FRAME_PAYLOAD_MAX, this.onFrame);
    this.socket.on('data', this.onData);
    this.socket.on('error', () => {
      // A broken socket means a process that is ending; its exit is what counts.
    });
    this.child.once('exit', (code, signal) => this.onExit({ code, signal }));
    this.writer.add(ServerFrame.HELLO, 0, 0, PROTOCOL_VERSION, []);
  }

  /** Calls under way or waiting in the runner. */
  get load(): number {
    return this.outstanding.length - this.oldest;
  }

  /** True until the process ends or is told to. */
  get usable(): boolean {
    return !this.gone && !this.closing && this.killReason === null;
  }

  /** Loads the library. @throws PluginFailure BW_PLUGIN_LOAD, BW_PLUGIN_ABI or why the process ended. */
  async loadLibrary(): Promise<LibraryDescription> {
    const { libraryPath, replyBytesMax } = this.options;
    const { reply, value } = await this.send(ServerFrame.LOAD, 0, replyBytesMax, [libraryPath], 'load');
    const [name = '', version = '', description = '', manifest = ''] = String(reply).split('\0');
    const { functions, threadSafe } = readFunctionBits(value);
    const hasManifest = functions.has('manifest') && manifest !== '';
    return { name, version, description, manifest: hasManifest ? manifest : null, functions, threadSafe };
  }

  /** Calls initialize(). @throws PluginFailure BW_PLUGIN_INITIALIZE with the plugin's own words. */
  async initialize(): Promise<void> {
    const { name, configJson, initializeTimeoutMs } = this.options;
    const strings = [configJson];
    const { value, reply } = await this.send(
      ServerFrame.INITIALIZE,
      0,
      initializeTimeoutMs,
      strings,
      'initialize',
    );
    if (value === 0) return;
    const text = printable(String(reply ?? ''));
    const why = text === '' ? `initialize() returned ${value}` : text;
    throw new PluginFailure('BW_PLUGIN_INITIALIZE', `plugin ${name} refused to initialize: ${why}`, {
      plugin: name,
      phase: 'initialize',
      hint: 'check its config block',
      stderrTail: [...this.output.stderrTail],
    });
  }

  /** Calls a hook; `timeLeftMs` is what the plugin may read through its host table. */
  async call(hook: Hook, args: readonly string[], timeLeftMs: number): Promise<NativeReply> {
    const left = Number.isFinite(timeLeftMs) ? Math.max(0, Math.ceil(timeLeftMs)) : NO_DEADLINE;
    const { reply } = await this.send(ServerFrame.CALL, HOOK_NUMBER[hook], left, args, hook);
    return reply;
  }

  async healthCheck(): Promise<{ status: number; text: string }> {
    const { value, reply } = await this.send(ServerFrame.HEALTH_CHECK, 0, 0, [], 'health_check');
    return { status: value, text: printable(String(reply ?? '')) };
  }

  /** Lets calls under way finish, calls shutdown() and waits for the end, all within the time-box. */
  async close(): Promise<void> {
    if (this.gone) return;
    this.closing = true;
    const ended = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
    const timer = setTimeout(() => this.child.kill('SIGKILL'), this.options.shutdownTimeoutMs);
    try {
      const { value, reply } = await this.send(ServerFrame.SHUTDOWN, 0, 0, [], 'shutdown');
      if (value !== 0) this.output.log('warn', `shutdown() returned ${value} ${String(reply ?? '')}`);
    } catch {
      // It ended before it answered: it was to end anyway, and `ended` reports nothing for it.
    }
    await ended;
    clearTimeout(timer);
  }

  /** Ends the process at once. */
  kill(reason: KillReason = null): void {
    if (this.gone || this.killReason !== null) return;
    this.killReason = reason;
    if (reason === null) this.closing = true;
    this.child.kill('SIGKILL');
  }

  private send(
    type: number,
    detail: number,
    value: number,
    strings: readonly string[],
    phase: PluginPhase,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.gone) {
        reject(this.unavailable(phase));
        return;
      }
      const id = this.nextId;
      this.nextId = id === 0xffff_ffff ? 1 : id + 1;
      this.outstanding.push({ id, phase, resolve, reject });
      this.writer.add(type, id, detail, value, strings);
      if (this.writer.size >= BATCH_BYTES_MAX) this.flush();
      else if (!this.flushScheduled) {
        this.flushScheduled = true;
        setImmediate(this.flush);
      }
    });
  }

  private readonly flush = (): void => {
    this.flushScheduled = false;
    if (this.writer.size > 0 && !this.gone) this.socket.write(this.writer.take());
  };

  private readonly onData = (chunk: Buffer): void => {
    if (this.killReason?.kind === 'protocol') return;
    try {
      this.parser.push(chunk);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.kill({ kind: 'protocol', message: error.message });
    }
  };

  private readonly onFrame = (
    type: number,
    id: number,
    detail: number,
    value: number,
    payload: Buffer,
  ): void => {
    if (!this.greeted) this.greet(type, value);
    else if (type === RunnerFrame.LOG) this.output.log(LEVELS[detail] ?? 'info', payload.toString());
    else if (type === RunnerFrame.METRIC) this.onMetric(payload);
    else this.answer(type, id, detail, value, payload);
  };

  private greet(type: number, version: number): void {
    if (type !== RunnerFrame.HELLO) throw new FrameError(`frame type ${type} before HELLO`);
    this.greeted = true;
    if (version === PROTOCOL_VERSION) return;
    const message = `the runner speaks protocol ${version}, this server speaks ${PROTOCOL_VERSION}`;
    this.kill({ kind: 'version', message });
  }

  private onMetric(payload: Buffer): void {
    if (payload.length <= 8) throw new FrameError('METRIC frame without a name');
    this.options.events.metric(payload.toString('utf8', 8), payload.readDoubleLE(0));
  }

  private answer(type: number, id: number, detail: number, value: number, payload: Buffer): void {
    const pending = this.outstanding[this.oldest];
    if (pending === undefined) throw new FrameError(`answer ${id} to no call`);
    if (pending.id !== id) throw new FrameError(`answer ${id} where ${pending.id} was due`);
    const expected = EXPECTED_ANSWER[pending.phase] ?? RunnerFrame.STATUS;
    const fits = type === expected || (type === RunnerFrame.EMPTY && expected === RunnerFrame.REPLY);
    if (!fits && type !== RunnerFrame.FAILED)
      throw new FrameError(`frame type ${type} answers ${pending.phase}`);
    this.forgetOldest();
    if (type === RunnerFrame.FAILED) pending.reject(this.failed(pending.phase, detail, payload));
    else if (type === RunnerFrame.REPLY) pending.resolve({ reply: payload, value });
    else if (type === RunnerFrame.EMPTY) pending.resolve({ reply: null, value });
    else pending.resolve({ reply: payload.toString(), value });
  }

  private forgetOldest(): void {
    this.answered += 1;
    this.oldest += 1;
    // Moving the rest to the front now and then keeps the queue an array without shifting per call.
    if (this.oldest === this.outstanding.length) {
      this.outstanding.length = 0;
      this.oldest = 0;
    } else if (this.oldest >= 1024) {
      this.outstanding = this.outstanding.slice(this.oldest);
      this.oldest = 0;
    }
  }

  private failed(phase: PluginPhase, failure: number, payload: Buffer): PluginFailure {
    const { name } = this.options;
    const text = printable(payload.toString());
    const details = { plugin: name, phase };
    switch (failure) {
      case Failure.LOAD:
        return new PluginFailure('BW_PLUGIN_LOAD', `plugin ${name} cannot be loaded: ${text}`, details);
      case Failure.ABI:
        return new PluginFailure(
          'BW_PLUGIN_ABI',
          `plugin ${name} does not fit this server: ${text}`,
          details,
        );
      default:
        return new PluginFailure('BW_PLUGIN_BAD_RESPONSE', `plugin ${name}: ${text}`, details);
    }
  }

  private onExit(end: { code: number | null; signal: NodeJS.Signals | null }): void {
    const settle = (): void => {
      if (this.gone) return;
      this.gone = true;
      this.socket.destroy();
      const lost = this.outstanding.slice(this.oldest);
      this.outstanding = [];
      this.oldest = 0;
      const phase = lost[0]?.phase ?? 'idle';
      const { name } = this.options;
      const failure = this.closing
        ? null
        : explainEnd(name, phase, end, this.killReason, this.output.stderrTail);
      lost.forEach((call, index) =>
        call.reject(index === 0 && failure ? failure : this.unavailable(call.phase)),
      );
      this.events.ended(failure);
    };
    // Never wait for 'close': a grandchild holding the pipes would keep it from coming.
    if (this.socket.readableEnded || this.socket.destroyed) settle();
    else {
      this.socket.once('end', settle);
      setTimeout(settle, DRAIN_AFTER_EXIT_MS);
    }
  }

  private unavailable(phase: PluginPhase): PluginFailure {
    const { name } = this.options;
    return new PluginFailure('BW_PLUGIN_UNAVAILABLE', `plugin ${name} lost its process before it answered`, {
      plugin: name,
      phase,
    });
  }
}

const EXPECTED_ANSWER: Partial<Record<PluginPhase, number>> = {
  load: RunnerFrame.LOADED,
  before_request: RunnerFrame.REPLY,
  after_response: RunnerFrame.REPLY,
  process_endpoint: RunnerFrame.REPLY,
  call: RunnerFrame.REPLY,
};

/** True when the arguments fit into one frame. */
export function fitsFrame(args: readonly string[]): boolean {
  let units = 0;
  for (const text of args) units += text.length + 1;
  if (units * 3 <= FRAME_PAYLOAD_MAX) return true;
  return units <= FRAME_PAYLOAD_MAX && payloadSize(args) <= FRAME_PAYLOAD_MAX;
}
