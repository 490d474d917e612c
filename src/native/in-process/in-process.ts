import { oneLine } from '../../printable.js';
import koffi, { type TypeObject } from 'koffi';
import type { CallTicket } from '../../call-ticket.js';
import { BackworksError, PluginFailure, type PluginPhase } from '../../errors.js';
import type { Text } from '../../long-text.js';
import { ABI_VERSION, BackworksHost, PROTOTYPES } from './abi.js';
import { configurationRefused, pluginFailed, withOriginalPath } from '../failures.js';
import { guardedEvents } from '../guarded-events.js';
import { HostStrings } from './host-strings.js';
import { InProcessLibrary } from './in-process-library.js';
import {
  type Hook,
  KvStatus,
  type LibraryDescription,
  type NativePlugin,
  type NativePluginOptions,
  type NativeProcess,
  type NativeReply,
} from '../plugin.js';
import { signalGuard, type SignalReport } from './signal-guard.js';
import { LOG_TEXT_MAX } from '../protocol/protocol.js';

const NS_PER_MS = 1_000_000;
const OWN_NS_MAX = 0x7fff_ffff;
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/**
 * A plugin in the server's own process, called synchronously. This is the fastest way and has no
 * protection: a crash ends the server, and a missed deadline is noticed only when the call returns.
 */
export class InProcessPlugin implements NativePlugin {
  readonly description: LibraryDescription;
  readonly sandbox = null;
  private readonly library: InProcessLibrary;
  /** Read by the host table while a call runs. */
  private deadlineAtMs = Infinity;
  /** The message of fail(), from the call until its answer is read. */
  private failure: string | null = null;
  private closed = false;
  private readonly hostStrings = new HostStrings();
  /** Hooks that have been called before: a library may install signal handlers in the first call of each. */
  private readonly called = new Map<Hook, (...args: unknown[]) => unknown>();

  private constructor(private readonly options: NativePluginOptions) {
    this.library = this.guarded(() => openLibrary(options));
    this.description = this.library.description;
  }

  /** Loads and initializes the library. @throws PluginFailure when it cannot be loaded or refuses to start */
  static async open(options: NativePluginOptions): Promise<InProcessPlugin> {
    const events = guardedEvents(options.name, options.events);
    const plugin = new InProcessPlugin({ ...options, events });
    const configJson = (await options.prepareConfig?.(plugin.description)) ?? options.configJson;
    plugin.guarded(() => {
      plugin.bindHost();
      plugin.initialize(configJson);
    });
    signalGuard.watch(options.name, plugin.reportSignals);
    return plugin;
  }

  call(hook: Hook, args: readonly Text[], ticket: CallTicket): NativeReply | Promise<NativeReply> {
    const { name, replyBytesMax } = this.options;
    const known = this.called.get(hook);
    if (known === undefined && this.library.get(hook) === null) {
      return this.reject('BW_PLUGIN_BAD_RESPONSE', `plugin ${name} has no ${hook}`, hook, ticket);
    }
    const { deadlineAtMs } = ticket;
    // Reading the clock costs a third of a call, so the clock is read only when a report is wanted.
    const enteredAtMs = ticket.report === undefined ? null : performance.now();
    this.deadlineAtMs = deadlineAtMs;
    this.failure = null;
    const reply = (known === undefined ? this.firstCall(hook, strings(args)) : known(...strings(args))) as
      string | null;
    this.deadlineAtMs = Infinity;
    if (enteredAtMs !== null || deadlineAtMs !== Infinity) {
      const leftAtMs = performance.now();
      if (enteredAtMs !== null) ticket.report?.(nanoseconds(leftAtMs - enteredAtMs), false);
      if (leftAtMs > deadlineAtMs) {
        const message = `plugin ${name} answered ${hook} after its deadline`;
        return this.reject('BW_PLUGIN_TIMEOUT', message, hook, ticket);
      }
    }
    // The called function may have set it.
    const failure = this.failure as string | null;
    if (failure !== null) {
      const details = { phase: hook, requestId: ticket.requestId ?? undefined };
      return Promise.reject(pluginFailed(name, failure, details));
    }
    if (reply !== null && isLonger(reply, replyBytesMax)) {
      const message = `plugin ${name}: the answer is longer than ${replyBytesMax} bytes`;
      return this.reject('BW_PLUGIN_BAD_RESPONSE', message, hook, ticket);
    }
    return reply;
  }

  healthCheck(): Promise<{ status: number; text: string }> {
    const status = this.guarded(() => (this.library.get('health_check')?.() as number | undefined) ?? 0);
    return Promise.resolve({ status, text: status === 0 ? '' : this.library.lastError() });
  }

  restart(): Promise<never> {
    const message = `plugin ${this.options.name} runs in the server's own process and cannot be restarted alone`;
    const hint = 'restart the server, or use isolation: process';
    return Promise.reject(new BackworksError('BW_PLUGIN_STATE', message, { hint }));
  }

  close(): Promise<void> {
    if (!this.closed) {
      this.closed = true;
      const status = (this.library.get('shutdown')?.() as number | undefined) ?? 0;
      if (status !== 0) this.log('warn', `shutdown() returned ${status} ${this.library.lastError()}`);
    }
    return Promise.resolve();
  }

  processes(): NativeProcess[] {
    return [];
  }

  async reconfigure(configJson: string): Promise<void> {
    const { name } = this.options;
    const reconfigure = this.library.get('reconfigure');
    if (reconfigure === null) throw configurationRefused(name, 'reconfigure', -1, 'it has no reconfigure()');
    const status = this.guarded(() => reconfigure(configJson) as number);
    if (status !== 0) throw configurationRefused(name, 'reconfigure', status, this.library.lastError());
  }

  /** Nothing to adjust without a process: the executor alone guards the calls. */
  adjust(): void {}

  private firstCall(hook: Hook, args: readonly string[]): unknown {
    const implementation = this.library.get(hook)!;
    this.called.set(hook, implementation);
    return this.guarded(() => implementation(...args));
  }

  /** Runs code of the library and restores the server's signal handlers afterwards. */
  private guarded<T>(work: () => T): T {
    return signalGuard.around(this.options.name, this.reportSignals, work);
  }

  private readonly reportSignals: SignalReport = (text) => this.log('warn', text);

  private initialize(configJson: string): void {
    const { name } = this.options;
    const status = (this.library.get('initialize')?.(configJson) as number | undefined) ?? 0;
    if (status !== 0) throw configurationRefused(name, 'initialize', status, this.library.lastError());
  }

  private bindHost(): void {
    const bindHost = this.library.get('bind_host');
    if (bindHost === null) return;
    const { name: plugin } = this.options;
    const status = bindHost(this.hostTable()) as number;
    if (status === 0) return;
    const text = `plugin ${plugin} is not compatible with this server: bind_host() returned ${status}: ${this.library.lastError()}`;
    throw new PluginFailure('BW_PLUGIN_ABI', text, { plugin, phase: 'load' });
  }

  /** The table lives as long as the process, because the library may call it at any time. */
  private hostTable(): unknown {
    const register = (callback: (...args: never[]) => unknown, prototype: TypeObject): bigint =>
      koffi.register(callback, koffi.pointer(prototype));
    const timeLeft = (): number => this.deadlineAtMs - performance.now();
    const table: unknown = koffi.alloc(BackworksHost, 1);
    koffi.encode(table, BackworksHost, {
      size: koffi.sizeof(BackworksHost),
      abi_version: ABI_VERSION,
      log: register((level: number, text: string | null) => {
        if (text !== null) this.log(LEVELS[level] ?? 'info', text.slice(0, LOG_TEXT_MAX));
      }, PROTOTYPES.log),
      metric: register((name: string | null, delta: number) => {
        if (name !== null) this.options.events.metric(name, delta);
      }, PROTOTYPES.metric),
      kv_get: register((key: string | null) => this.readValue(key), PROTOTYPES.kv_get),
      kv_set: register(
        (key: string | null, value: string | null, ttlSeconds: number) =>
          this.options.keyValues?.set(key ?? '', value, ttlSeconds) ?? KvStatus.FULL,
        PROTOTYPES.kv_set,
      ),
      http_fetch: null,
      call: null,
      deadline_left_ms: register(
        () => (this.deadlineAtMs === Infinity ? -1 : Math.max(0, Math.trunc(timeLeft()))),
        PROTOTYPES.deadline_left_ms,
      ),
      cancelled: register(() => (timeLeft() <= 0 ? 1 : 0), PROTOTYPES.cancelled),
      fail: register((text: string | null) => {
        this.failure = (text ?? '').slice(0, LOG_TEXT_MAX);
      }, PROTOTYPES.fail),
    });
    return table;
  }

  private readValue(key: string | null): unknown {
    const value = this.options.keyValues?.get(key ?? '') ?? null;
    return value === null ? null : this.hostStrings.keep(value);
  }

  private log(level: (typeof LEVELS)[number], text: string): void {
    for (const line of text.split('\n'))
      this.options.events.log({ source: 'log', level, text: oneLine(line), pid: null });
  }

  private reject(
    code: 'BW_PLUGIN_BAD_RESPONSE' | 'BW_PLUGIN_TIMEOUT',
    message: string,
    phase: PluginPhase,
    ticket: CallTicket,
  ): Promise<never> {
    return Promise.reject(
      new PluginFailure(code, message, {
        plugin: this.options.name,
        phase,
        requestId: ticket.requestId ?? undefined,
      }),
    );
  }
}

/** Converts the texts to strings for koffi; nearly always they are strings already. */
function strings(texts: readonly Text[]): readonly string[] {
  return texts.every((text) => typeof text === 'string') ? texts : texts.map(String);
}

/** Whether the text takes more than `bytesMax` bytes in UTF-8. Counts them only when that is possible. */
function isLonger(text: string, bytesMax: number): boolean {
  const unitBytesMax = 3;
  return text.length * unitBytesMax > bytesMax && Buffer.byteLength(text) > bytesMax;
}

function nanoseconds(milliseconds: number): number {
  return Math.min(Math.round(milliseconds * NS_PER_MS), OWN_NS_MAX);
}

/** @throws PluginFailure BW_PLUGIN_LOAD or BW_PLUGIN_ABI, with the path that the operator knows */
function openLibrary(options: NativePluginOptions): InProcessLibrary {
  try {
    return new InProcessLibrary(options.name, options.libraryPath);
  } catch (error) {
    throw withOriginalPath(error, options);
  }
}
