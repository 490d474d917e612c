import { type CallTicket, NO_CALLERS } from '../../call-ticket.js';
import type { PluginFailure, PluginPhase } from '../../errors.js';
import type { Text } from '../../long-text.js';
import { CallCpuWatch } from './call-cpu-watch.js';
import { libraryNames } from '../process/crash-place.js';
import { explainEnd, type KillReason, withActivity } from '../process/exit-cause.js';
import type { ProcessEnd, GroupedProcess } from '../process/child-process.js';
import { HostServices } from './host-services.js';
import { afterLastWords } from './last-words.js';
import { loadedFrame } from './loaded-frame.js';
import type { LibraryDescription, NativePluginOptions, NativeReply, SandboxReport } from '../plugin.js';
import { OverdueCalls } from './overdue-calls.js';
import { oneLine } from '../../printable.js';
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
import type { SharedPage } from '../protocol/shared-page.js';

/** A process that closed its answers but lives is ended after this time. */
const CLOSED_GRACE_MS = 200;
/** Likewise a process that sent its crash report and lives: a signal ends an honest one at once. */
const CRASHED_GRACE_MS = 1000;
const NO_DEADLINE = -1;
/** One runner process with one library in it, from its start to its end. */
export class RunnerProcess {
  readonly startedAt = new Date();
  /** What holds of its sandbox; null until it said so. */
  sandbox: SandboxReport | null = null;
  /** The configuration in force in it; null until it was initialized. */
  configJson: string | null = null;
  private readonly connection: RunnerConnection;
  private readonly services: HostServices;
  private readonly output: PluginOutput;
  private readonly cpu: CallCpuWatch;
  private readonly overdue: OverdueCalls;
  /** The server asked for the end, so it is no failure. */
  private closing = false;
  /** It takes no more calls. */
  private retiring = false;
  private gone = false;
  private killReason: KillReason = null;
  /** The call it was ended for; 0 for none. */
  private killedFor = 0;
  /** Why the process ended; null while it lives, or when it ended as asked. */
  private endFailure: PluginFailure | null = null;

  /**
   * @param shared the page that the process was given
   * @param loadFrom where its library is loaded from
   * @param onEnded called once when the process is gone, before its calls are told; null when it
   *   ended as asked.
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
      crashed: () => this.killAfter(CRASHED_GRACE_MS, { kind: 'crash_report' }),
      broken: (reason) => this.kill(reason),
    });
    this.services = new HostServices(services, {
      callOf: (number) => this.connection.calls.asking(number),
      operate: async (request, caller) => (await options.operate?.(request, caller)) ?? null,
      broken: (reason) => this.kill(reason),
    });
    this.overdue = new OverdueCalls(this.connection, (call) => this.kill({ kind: 'deadline' }, call));
    this.cpu = new CallCpuWatch(this.pid, this.connection.calls, options, (reason, call) =>
      this.kill(reason, call),
    );
    answers.once('end', () =>
      this.killAfter(CLOSED_GRACE_MS, { kind: 'protocol', message: 'it closed its connection' }),
    );
    void ended.then((end) => this.onProcessEnd(end));
  }

  /** The rate in force; the runner is told, as it may have changed. */
  private logRate(): number {
    this.shared.setLogRate(this.options.logBytesPerSecond);
    return this.options.logBytesPerSecond;
  }

  get pid(): number {
    return this.child.pid;
  }

  /** Calls under way or waiting in the runner. */
  get load(): number {
    return this.connection.load;
  }

  /** Calls answered so far. */
  get answered(): number {
    return this.connection.answered;
  }

  /** True until the process ends or is told to. */
  get usable(): boolean {
    return (
      !this.gone &&
      !this.closing &&
      !this.retiring &&
      this.killReason === null &&
      this.connection.crash === null
    );
  }

  /**
   * Puts the sandbox on and loads the library.
   * @throws PluginFailure BW_PLUGIN_SANDBOX, BW_PLUGIN_LOAD, BW_PLUGIN_ABI or why the process ended.
   */
  async loadLibrary(): Promise<LibraryDescription> {
    const { libraryPath, replyBytesMax, sandbox, concurrency } = this.options;
    const [ready, { reply, value }] = await Promise.all([
      this.ask(ServerFrame.SANDBOX, 0, 0, sandboxSettings(sandbox, libraryPath), 'sandbox'),
      this.ask(ServerFrame.LOAD, this.loadFrom, replyBytesMax, [libraryPath], 'load'),
    ]).catch((error: unknown) => {
      throw withOriginalPath(error, this.options);
    });
    this.sandbox = sandboxInForce(String(ready.reply), this.child, this.options);
    const description = loadedFrame(value, String(reply));
    if (concurrency > 1 && !description.threadSafe) throw notThreadSafe(this.options.name, concurrency);
    return description;
  }

  /** Calls initialize(). @throws PluginFailure BW_PLUGIN_INITIALIZE with the plugin's own words. */
  async initialize(): Promise<void> {
    const { configJson, initializeTimeoutMs: limit, concurrency } = this.options;
    const threads = concurrency > 1 ? concurrency : 0;
    const frame = [ServerFrame.INITIALIZE, threads, limit] as const;
    const { value, reply } = await this.ask(...frame, [configJson], 'initialize');
    if (value !== 0) throw this.refusal('initialize', value, reply);
    this.configJson = configJson;
  }

  /** Calls reconfigure(). @throws PluginFailure BW_PLUGIN_RECONFIGURE; the former configuration holds. */
  async reconfigure(configJson: string): Promise<void> {
    const { value, reply } = await this.ask(ServerFrame.RECONFIGURE, 0, 0, [configJson], 'reconfigure');
    if (value !== 0) throw this.refusal('reconfigure', value, reply);
    this.configJson = configJson;
  }

  /**
   * Sends a CALL or BATCH with its detail. `timeLeftMs` is what the plugin may read through its host table.
   * A process that ends tells the handler whether the call had begun.
   */
  call(
    type: number,
    detail: number,
    args: readonly Text[],
    timeLeftMs: number,
    handler: AnswerHandler,
  ): void {
    this.cpu.begin();
    const left = Number.isFinite(timeLeftMs) ? Math.max(0, Math.ceil(timeLeftMs)) : NO_DEADLINE;
    this.connection.send(type, detail, left, args, handler);
  }

  /** Asks the process not to begin a call. One that has begun runs to its end. */
  cancel(id: number): void {
    if (!this.gone) this.connection.cancel(id);
  }

  /**
   * Stops a call whose deadline has passed.
   * @param limitMs longest time of a call
   * @param settle told at once how the call ends, unless the process has to end first
   */
  expire(id: number, limitMs: number, settle: (error: PluginFailure) => void): void {
    this.overdue.expire(id, limitMs, () => settle(noTimeLeft(this.options.name)));
  }

  async healthCheck(ticket: CallTicket): Promise<{ status: number; text: string }> {
    this.cpu.begin();
    const { value, reply } = await this.ask(ServerFrame.HEALTH_CHECK, 0, 0, [], 'health_check', ticket);
    return { status: value, text: oneLine(String(reply ?? '')) };
  }

  /** Takes no more calls, lets those it has finish by their own deadlines, then closes. */
  async retire(): Promise<void> {
    this.retiring = true;
    await this.connection.drained();
    await this.close();
  }

  /** Lets calls under way finish, calls shutdown() and waits for the end, all within the time-box. */
  async close(): Promise<void> {
    if (this.gone) return;
    if (this.closing) {
      await this.child.ended;
      return;
    }
    this.closing = true;
    const timer = setTimeout(() => this.child.kill('SIGKILL'), this.options.shutdownTimeoutMs);
    try {
      const { value, reply } = await this.ask(ServerFrame.SHUTDOWN, 0, 0, [], 'shutdown');
      if (value !== 0) this.output.log('warn', `shutdown() returned ${value} ${String(reply ?? '')}`);
    } catch {
      this.output.log('warn', 'the process ended before shutdown() returned');
    }
    await this.child.ended;
    clearTimeout(timer);
  }

  /** Ends the process at once. @param call the one that is to blame; 0 for whichever runs */
  kill(reason: KillReason = null, call = 0): void {
    if (this.gone || this.killReason !== null) return;
    this.killReason = withActivity(reason, this.pid, this.connection.calls.threadOf(call));
    this.killedFor = call;
    if (reason === null) this.closing = true;
    this.child.kill('SIGKILL');
  }

  /** Ends the process unless it ends by itself before. */
  private killAfter(milliseconds: number, reason: KillReason): void {
    setTimeout(() => this.kill(reason), milliseconds).unref();
  }

  /** Sends a frame of the plugin's life and waits for its answer. */
  private ask(
    type: number,
    detail: number,
    value: number,
    strings: readonly string[],
    phase: PluginPhase,
    ticket?: CallTicket,
  ): Promise<{ reply: NativeReply; value: number }> {
    return new Promise((resolve, reject) => {
      const handler: AnswerHandler = {
        id: 0,
        phase,
        requestId: null,
        callers: NO_CALLERS,
        answered: (reply, status) => resolve({ reply, value: status }),
        failed: reject,
        // Nobody is to blame for a call that could not be made; a start that failed says why.
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
      if (this.gone) return;
      this.gone = true;
      this.connection.close(this.killedFor, (phase, requestId) => {
        if (!this.closing) {
          const { stderrTail } = this.output;
          const { crash } = this.connection;
          this.endFailure = explainEnd({
            plugin: this.options.name,
            phase,
            requestId,
            end,
            killed: this.killReason,
            crash,
            stderrTail,
            library: libraryNames(this.options),
          });
        }
        this.onEnded(this.endFailure);
        return this.endFailure;
      });
      this.shared.close();
      this.services.close();
    };
    const outputIsLeft = this.output.release();
    afterLastWords(this.child.answers, () => {
      // A stream that was paused is read in the next turn.
      if (outputIsLeft) setImmediate(settle);
      else settle();
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
