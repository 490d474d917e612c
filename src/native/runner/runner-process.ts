import { type CallTicket, NO_CALLERS } from '../../call-ticket.js';
import type { PluginFailure, PluginPhase } from '../../errors.js';
import type { Text } from '../../long-text.js';
import { CallCpuWatch } from './call-cpu-watch.js';
import { libraryNames } from '../process/crash-place.js';
import { explainEnd, type KillReason, withActivity } from '../process/exit-cause.js';
import type { ProcessEnd, GroupedProcess } from '../process/child-process.js';
import { fetchError, HostServices } from './host-services.js';
import { drainAnswers } from './drain-answers.js';
import { loadedFrame } from './loaded-frame.js';
import {
  type KeyValues,
  KvStatus,
  type LibraryDescription,
  type NativePluginOptions,
  type NativeReply,
  type SandboxReport,
} from '../plugin.js';
import { OverdueCalls } from './overdue-calls.js';
import { oneLine } from '../../printable.js';
import { PauseMeter } from './pause-meter.js';
import { processorTimeMs } from '../process/limits/process-clock.js';
import { PluginOutput } from '../process/plugin-output.js';
import { type LoadFrom, ServerFrame } from '../protocol/protocol.js';
import {
  configurationRefused,
  type ConfiguringPhase,
  noTimeLeft,
  notThreadSafe,
  withOriginalPath,
  processGone,
} from '../failures.js';
import type { AnswerHandler } from './answer-handler.js';
import { type ConnectionOptions, RunnerConnection } from './runner-connection.js';
import { sandboxInForce, sandboxSettings } from '../process/sandbox.js';
import { compareDependencies } from '../process/verified-library.js';
import type { SharedPage } from '../protocol/shared-page.js';

/** A process that closed its answers but keeps running is killed after this time. */
const CLOSED_GRACE_MS = 200;
/** The same for a process that sent a crash report: a real crash ends the process at once. */
const CRASHED_GRACE_MS = 1000;
const NO_DEADLINE = -1;
const NO_KEY_VALUES: KeyValues = { get: () => null, set: () => KvStatus.FULL };
const INT32_MAX = 2 ** 31 - 1;

/** One runner process with one library, from its start to its end. */
export class RunnerProcess {
  readonly startedAt = new Date();
  /** The state of its sandbox; null before READY. */
  sandbox: SandboxReport | null = null;
  /** Its active configuration; null before it was initialized. */
  configJson: string | null = null;
  /** Measures what the process uses while no call is in flight. */
  readonly pauses = new PauseMeter(() => processorTimeMs(this.pid));
  private readonly connection: RunnerConnection;
  private readonly services: HostServices;
  private readonly output: PluginOutput;
  private readonly cpu: CallCpuWatch;
  private readonly overdue: OverdueCalls;
  /** The server asked the process to end, so its end is not a failure. */
  private closing = false;
  /** The process takes no more calls. */
  private retiring = false;
  private hasEnded = false;
  private killReason: KillReason = null;
  /** The call for which the server killed the process; 0 for none. */
  private killedFor = 0;
  /** Why the process ended; null while it runs, or when it ended as requested. */
  private endFailure: PluginFailure | null = null;
  private hasShutDown = false;
  /** Why the process did not end by itself when it was asked to; null when it did. */
  private shutdownFailure: PluginFailure | null = null;

  /**
   * @param shared the page shared with the process
   * @param loadFrom how the process loads its library
   * @param onEnded called once when the process has ended, before the handlers of its calls; the failure is
   *   null when it ended as requested
   */
  constructor(
    private readonly child: GroupedProcess,
    private readonly shared: SharedPage,
    private readonly options: NativePluginOptions,
    private readonly loadFrom: LoadFrom,
    private readonly onEnded: (failure: PluginFailure | null) => void,
  ) {
    this.logRate();
    const { events } = options;
    const { stdout, stderr, answers, services, ended } = this.child;
    this.output = new PluginOutput(
      () => this.logRate(),
      (line) => events.log({ ...line, pid: this.pid }),
      this.shared.isShared,
    );
    this.output.attach(stdout, 'stdout');
    this.output.attach(stderr, 'stderr');
    this.connection = new RunnerConnection(this.child, this.shared, connectionOptions(options), {
      log: (level, text, dropped) => this.output.frame(level, text, dropped),
      metric: (counter, delta) => events.metric(counter, delta),
      refused: (refusal) => events.refused(refusal),
      busy: () => this.pauses.end(),
      idle: () => this.pauses.begin(),
      crashed: () => this.killAfter(CRASHED_GRACE_MS, { kind: 'crash_report' }),
      broken: (reason) => this.kill(reason),
    });
    this.services = new HostServices(services, {
      callOf: (number) => this.connection.calls.requester(number),
      runningOf: (number) => this.connection.calls.runningOf(number),
      operate: async (request, caller) => (await options.operate?.(request, caller)) ?? null,
      fetch: async (request, limits) =>
        (await options.fetch?.(request, limits)) ??
        fetchError('the server makes no requests for this plugin'),
      keyValues: options.keyValues ?? NO_KEY_VALUES,
      broken: (reason) => this.kill(reason),
    });
    const { calls } = this.connection;
    const answered = (): number => this.connection.answered;
    this.cpu = new CallCpuWatch(this.pid, calls, answered, options, (reason, call) =>
      this.kill(reason, call),
    );
    this.overdue = new OverdueCalls(this.connection, {
      isEnding: () => this.killReason !== null,
      isStarved: () => this.cpu.isStarved(),
      kill: (call) => this.kill({ kind: 'deadline' }, call),
    });
    answers.once('end', () =>
      this.killAfter(CLOSED_GRACE_MS, { kind: 'protocol', message: 'it closed its connection' }),
    );
    void ended.then((end) => this.onProcessEnd(end));
  }

  /** The present log rate. Also passes it to the runner, because it may have changed. */
  private logRate(): number {
    this.shared.setLogRate(this.options.logBytesPerSecond);
    return this.options.logBytesPerSecond;
  }

  get pid(): number {
    return this.child.pid;
  }

  /** Calls that run or wait in the runner. */
  get load(): number {
    return this.connection.load;
  }

  /** Calls answered so far. */
  get answered(): number {
    return this.connection.answered;
  }

  /** True until the process ends or is asked to end. */
  get usable(): boolean {
    return (
      !this.hasEnded &&
      !this.closing &&
      !this.retiring &&
      this.killReason === null &&
      this.connection.crash === null
    );
  }

  /**
   * Applies the sandbox and loads the library.
   * @throws PluginFailure BW_PLUGIN_SANDBOX, BW_PLUGIN_LOAD, BW_PLUGIN_ABI, or the reason why the process ended
   */
  async loadLibrary(): Promise<LibraryDescription> {
    const { libraryPath, replyBytesMax, sandbox, concurrency } = this.options;
    await this.options.spawned?.(this.pid);
    const [ready, { reply, value }] = await Promise.all([
      this.ask(ServerFrame.SANDBOX, 0, 0, sandboxSettings(sandbox, libraryPath), 'sandbox'),
      this.ask(ServerFrame.LOAD, this.loadFrom, replyBytesMax, [libraryPath], 'load'),
    ]).catch((error: unknown) => {
      throw withOriginalPath(error, this.options);
    });
    await compareDependencies(this.options);
    this.sandbox = sandboxInForce(String(ready.reply), this.child, this.options);
    const description = loadedFrame(value, String(reply));
    if (concurrency > 1 && !description.threadSafe) throw notThreadSafe(this.options.name, concurrency);
    return description;
  }

  /** Calls initialize(). @throws PluginFailure BW_PLUGIN_INITIALIZE with the plugin's own message */
  async initialize(): Promise<void> {
    const { configJson, initializeTimeoutMs: limit, concurrency } = this.options;
    const threads = concurrency > 1 ? concurrency : 0;
    const frame = [ServerFrame.INITIALIZE, threads, limit] as const;
    const deadlineAtMs = performance.now() + limit;
    const { value, reply } = await this.ask(...frame, [configJson], 'initialize', undefined, deadlineAtMs);
    if (value !== 0) throw this.refusal('initialize', value, reply);
    this.configJson = configJson;
  }

  /** Calls reconfigure(). @throws PluginFailure BW_PLUGIN_RECONFIGURE; the former configuration stays active */
  async reconfigure(configJson: string): Promise<void> {
    const { value, reply } = await this.ask(ServerFrame.RECONFIGURE, 0, 0, [configJson], 'reconfigure');
    if (value !== 0) throw this.refusal('reconfigure', value, reply);
    this.configJson = configJson;
  }

  /**
   * Sends a CALL or BATCH with its detail. The plugin can read `timeLeftMs` through its host table. When the
   * process ends, the handler learns whether the call had begun.
   */
  call(
    type: number,
    detail: number,
    args: readonly Text[],
    timeLeftMs: number,
    handler: AnswerHandler,
  ): void {
    this.cpu.begin();
    const left = Number.isFinite(timeLeftMs) ? clamp(Math.ceil(timeLeftMs)) : NO_DEADLINE;
    this.connection.send(type, detail, left, args, handler);
  }

  /** Asks the process not to begin a call. A call that has begun runs to its end. */
  cancel(id: number): void {
    if (!this.hasEnded) this.connection.cancel(id);
  }

  /** Whether the call may have been answered, and the answer has not left the process. The plugin can forge this. */
  holdsAnswer(id: number): boolean {
    return this.connection.calls.isPassed(id);
  }

  /**
   * Stops a call whose deadline has passed.
   * @param limitMs longest time of a call
   * @param settle called at once with the call's failure, unless the process must end first
   */
  expire(id: number, limitMs: number, settle: (error: PluginFailure) => void): void {
    this.overdue.expire(id, limitMs, () => settle(noTimeLeft(this.options.name)));
  }

  async healthCheck(ticket: CallTicket): Promise<{ status: number; text: string }> {
    this.cpu.begin();
    const { value, reply } = await this.ask(ServerFrame.HEALTH_CHECK, 0, 0, [], 'health_check', ticket);
    return { status: value, text: oneLine(String(reply ?? '')) };
  }

  /** Takes no more calls, lets its calls finish within their deadlines, then closes. */
  async retire(): Promise<void> {
    this.retiring = true;
    await this.connection.drained();
    await this.close();
  }

  /** Lets running calls finish, calls shutdown() and waits for the end, all within the time limit. */
  async close(): Promise<void> {
    if (this.hasEnded) return;
    if (this.closing) {
      await this.child.ended;
      return;
    }
    this.closing = true;
    const timer = setTimeout(() => {
      this.killReason ??= withActivity({ kind: 'deadline' }, this.pid, null);
      this.child.kill('SIGKILL');
    }, this.options.shutdownTimeoutMs);
    let status: number | null = null;
    let text = '';
    try {
      const { value, reply } = await this.ask(ServerFrame.SHUTDOWN, 0, 0, [], 'shutdown');
      this.hasShutDown = true;
      status = value;
      text = oneLine(String(reply ?? ''));
      if (value !== 0) this.output.log('warn', `shutdown() returned ${value} ${text}`);
    } catch {
      this.output.log('warn', 'the process ended before shutdown() returned');
    }
    const end = await this.child.ended;
    clearTimeout(timer);
    if (this.configJson === null) return;
    // Destructors and exit handlers of the library run after shutdown() has returned.
    if (end.signal !== null) this.shutdownFailure ??= this.explainEnd(end, 'shutdown', undefined);
    this.options.events.stopped?.({ status, text, failure: this.shutdownFailure });
  }

  /** Kills the process. @param call the call that is charged; 0 for the running call */
  kill(reason: KillReason = null, call = 0): void {
    if (this.hasEnded || this.killReason !== null) return;
    this.killReason = withActivity(reason, this.pid, this.connection.calls.threadOf(call));
    this.killedFor = call;
    if (reason === null) this.closing = true;
    this.child.kill('SIGKILL');
  }

  /** Kills the process unless it ends by itself in time. */
  private killAfter(milliseconds: number, reason: KillReason): void {
    setTimeout(() => this.kill(reason), milliseconds).unref();
  }

  /** Sends a frame that is not a call, and waits for its answer. */
  private ask(
    type: number,
    detail: number,
    value: number,
    strings: readonly string[],
    phase: PluginPhase,
    ticket?: CallTicket,
    deadlineAtMs = ticket?.deadlineAtMs ?? Infinity,
  ): Promise<{ reply: NativeReply; value: number }> {
    return new Promise((resolve, reject) => {
      const handler: AnswerHandler = {
        id: 0,
        phase,
        requestId: null,
        callers: NO_CALLERS,
        trace: null,
        deadlineAtMs,
        answered: (reply, status) => resolve({ reply, value: status }),
        failed: reject,
        // A health check that was not sent is not a failure of the plugin. A failed start reports its reason.
        notBegun: () => reject((ticket ? null : this.endFailure) ?? processGone(this.options.name, phase)),
      };
      this.connection.send(type, detail, value, strings, handler);
      if (ticket) {
        const limitMs = ticket.deadlineAtMs - performance.now();
        ticket.onStop((reason) => {
          if (reason === 'deadline') this.expire(handler.id, limitMs, reject);
        });
      }
    });
  }

  private onProcessEnd(end: ProcessEnd): void {
    const settle = (): void => {
      if (this.hasEnded) return;
      this.hasEnded = true;
      this.connection.close(this.killedFor, (phase, requestId) => {
        const failure = (): PluginFailure => this.explainEnd(end, phase, requestId);
        if (!this.closing) this.endFailure = failure();
        else if (!this.hasShutDown) this.shutdownFailure = failure();
        this.onEnded(this.endFailure);
        return this.endFailure;
      });
      this.shared.close();
      this.services.close();
    };
    const outputIsLeft = this.output.release();
    drainAnswers(this.child.answers, () => {
      // A paused stream is read in the next turn of the event loop.
      if (outputIsLeft) setImmediate(settle);
      else settle();
    });
  }

  private explainEnd(end: ProcessEnd, phase: PluginPhase, requestId: string | undefined): PluginFailure {
    const { stderrTail, said } = this.output;
    return explainEnd({
      plugin: this.options.name,
      phase,
      requestId,
      end,
      killed: this.killReason,
      crash: this.connection.crash,
      stderrTail,
      said,
      library: libraryNames(this.options),
    });
  }

  private refusal(phase: ConfiguringPhase, status: number, reply: NativeReply): PluginFailure {
    const { stderrTail } = this.output;
    return configurationRefused(this.options.name, phase, status, oneLine(String(reply ?? '')), stderrTail);
  }
}

function connectionOptions({ name, concurrency, replyBytesMax }: NativePluginOptions): ConnectionOptions {
  return { plugin: name, concurrency, replyBytesMax };
}

/** A time in milliseconds, as the number of a frame. */
function clamp(milliseconds: number): number {
  return Math.min(Math.max(0, milliseconds), INT32_MAX);
}
