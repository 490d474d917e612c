import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { BackworksError, PluginFailure } from '../errors.js';
import { explainEnd, type KillReason, type ProcessEnd } from './exit-cause.js';
import type { Hook, LibraryDescription, NativePluginOptions, NativeReply } from './native-plugin.js';
import { PluginOutput, printable } from './plugin-output.js';
import { FRAME_PAYLOAD_MAX, HOOK_NUMBER, payloadSize, readFunctionBits, ServerFrame } from './protocol.js';
import { RunnerConnection } from './runner-connection.js';

/** Answers sent before a process died arrive within this time after its exit was noticed. */
const DRAIN_AFTER_EXIT_MS = 50;
const NO_DEADLINE = -1;
const UTF8_BYTES_PER_UNIT_MAX = 3;

/** One runner process with one library in it, from its start to its end. */
export class RunnerProcess {
  readonly startedAt = new Date();
  readonly pid: number;
  private readonly child: ChildProcess;
  private readonly connection: RunnerConnection;
  private readonly output: PluginOutput;
  /** The server asked for the end, so it is no failure. */
  private closing = false;
  private gone = false;
  private killReason: KillReason = null;

  /**
   * @param onEnded called once when the process is gone and its calls are settled; null when it
   *   ended as asked.
   * @throws BackworksError BW_RUNNER_START when the process cannot be created.
   */
  constructor(
    runner: string,
    private readonly options: NativePluginOptions,
    private readonly onEnded: (failure: PluginFailure | null) => void,
  ) {
    const { name, logBytesPerSecond, events } = options;
    this.child = spawn(runner, ['--parent', String(process.pid)], {
      cwd: '/',
      env: {},
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      windowsHide: true,
    });
    this.child.on('error', () => {
      // Reported below or by 'exit'; without a listener it would end the server.
    });
    if (this.child.pid === undefined) {
      throw new BackworksError('BW_RUNNER_START', `the runner ${runner} cannot be started`, {
        hint: 'check that the file exists and may be executed',
      });
    }
    this.pid = this.child.pid;
    const [, stdout, stderr, socket] = this.child.stdio;
    this.output = new PluginOutput(logBytesPerSecond, (line) => events.log({ ...line, pid: this.pid }));
    this.output.attach(stdout as Readable, 'stdout');
    this.output.attach(stderr as Readable, 'stderr');
    this.connection = new RunnerConnection(socket as Socket, name, {
      log: (level, text) => this.output.log(level, text),
      metric: (counter, delta) => events.metric(counter, delta),
      broken: (reason) => this.kill(reason),
    });
    this.child.once('exit', (code, signal) => this.onExit(socket as Socket, { code, signal }));
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
    return !this.gone && !this.closing && this.killReason === null;
  }

  /** Loads the library. @throws PluginFailure BW_PLUGIN_LOAD, BW_PLUGIN_ABI or why the process ended. */
  async loadLibrary(): Promise<LibraryDescription> {
    const { libraryPath, replyBytesMax } = this.options;
    const strings = [libraryPath];
    const { reply, value } = await this.connection.send(ServerFrame.LOAD, 0, replyBytesMax, strings, 'load');
    const [name = '', version = '', description = '', manifest = ''] = String(reply).split('\0');
    const { functions, threadSafe } = readFunctionBits(value);
    const hasManifest = functions.has('manifest') && manifest !== '';
    return { name, version, description, manifest: hasManifest ? manifest : null, functions, threadSafe };
  }

  /** Calls initialize(). @throws PluginFailure BW_PLUGIN_INITIALIZE with the plugin's own words. */
  async initialize(): Promise<void> {
    const { name, configJson, initializeTimeoutMs: limit } = this.options;
    const { value, reply } = await this.connection.send(
      ServerFrame.INITIALIZE,
      0,
      limit,
      [configJson],
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
    const { reply } = await this.connection.send(ServerFrame.CALL, HOOK_NUMBER[hook], left, args, hook);
    return reply;
  }

  async healthCheck(): Promise<{ status: number; text: string }> {
    const { value, reply } = await this.connection.send(ServerFrame.HEALTH_CHECK, 0, 0, [], 'health_check');
    return { status: value, text: printable(String(reply ?? '')) };
  }

  /** Lets calls under way finish, calls shutdown() and waits for the end, all within the time-box. */
  async close(): Promise<void> {
    if (this.gone) return;
    this.closing = true;
    const ended = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
    const timer = setTimeout(() => this.child.kill('SIGKILL'), this.options.shutdownTimeoutMs);
    try {
      const { value, reply } = await this.connection.send(ServerFrame.SHUTDOWN, 0, 0, [], 'shutdown');
      if (value !== 0) this.output.log('warn', `shutdown() returned ${value} ${String(reply ?? '')}`);
    } catch {
      this.output.log('warn', 'the process ended before shutdown() returned');
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

  private onExit(socket: Socket, end: ProcessEnd): void {
    const settle = (): void => {
      if (this.gone) return;
      this.gone = true;
      let failure: PluginFailure | null = null;
      this.connection.close((phase) => {
        const { stderrTail } = this.output;
        if (!this.closing) failure = explainEnd(this.options.name, phase, end, this.killReason, stderrTail);
        return failure;
      });
      this.onEnded(failure);
    };
    // Never wait for 'close': a grandchild holding the pipes would keep it from coming.
    if (socket.readableEnded || socket.destroyed) settle();
    else {
      socket.once('end', settle);
      setTimeout(settle, DRAIN_AFTER_EXIT_MS);
    }
  }
}

/** True when the arguments fit into one frame. */
export function fitsFrame(args: readonly string[]): boolean {
  let units = 0;
  for (const text of args) units += text.length + 1;
  if (units * UTF8_BYTES_PER_UNIT_MAX <= FRAME_PAYLOAD_MAX) return true;
  return units <= FRAME_PAYLOAD_MAX && payloadSize(args) <= FRAME_PAYLOAD_MAX;
}
