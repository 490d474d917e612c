import type { CallTicket } from '../../call-ticket.js';
import type { Deferred } from '../../deferred.js';
import { BackworksError, PluginFailure } from '../../errors.js';
import type { Text } from '../../long-text.js';
import { type Dispatcher, HookCall } from './hook-call.js';
import type {
  AdjustableSettings,
  Hook,
  LibraryDescription,
  NativePlugin,
  NativePluginOptions,
  NativeProcess,
  NativeReply,
  NativeHookBatch,
  SandboxReport,
} from '../plugin.js';
import { callCancelled } from '../failures.js';
import { guardedEvents } from '../guarded-events.js';
import { reconfigureAll } from './reconfigure.js';
import { findRunner } from '../binaries.js';
import { HookBatchCall } from './hook-batch-call.js';
import { WorkerPool } from './worker-pool.js';

/** A plugin in processes of its own. A call goes to the worker with the fewest calls, or waits for a worker. */
export class IsolatedPlugin implements NativePlugin, Dispatcher {
  private readonly pool: WorkerPool;
  private readonly waiting: HookCall[] = [];
  private prepared: Promise<void> | null = null;
  /** Shared with the pool and its processes, so that they see changes. */
  private readonly options: NativePluginOptions & { configJson: string };

  private constructor(options: NativePluginOptions) {
    this.options = { ...options, events: guardedEvents(options.name, options.events) };
    const released = (): void => this.releaseWaiting((call) => this.dispatch(call));
    // After a failed start, calls that have time until the next attempt keep waiting.
    const events = { ready: released, startFailed: released };
    this.pool = new WorkerPool(this.options, findRunner(), events, (description) =>
      this.prepare(description),
    );
  }

  /**
   * Starts the processes, loads the library and initializes it.
   * @throws PluginFailure when any of that fails; nothing is left running.
   */
  static async open(options: NativePluginOptions): Promise<IsolatedPlugin> {
    const plugin = new IsolatedPlugin(options);
    try {
      await plugin.pool.open();
    } catch (error) {
      await plugin.close();
      throw error;
    }
    return plugin;
  }

  get description(): LibraryDescription {
    return this.pool.description;
  }

  call(hook: Hook, args: readonly Text[], ticket: CallTicket): Deferred<NativeReply> {
    const call = new HookCall(hook, args, ticket, this);
    if (call.fits(this.options.sandbox.memoryBytes)) this.dispatch(call);
    else {
      const message = `the request is too large for plugin ${this.options.name}`;
      call.failed(new BackworksError('BW_REQUEST_BODY_TOO_LARGE', message));
    }
    return call;
  }

  batch(batch: NativeHookBatch, ticket: CallTicket): Deferred<NativeReply> | null {
    const call = new HookBatchCall(batch, ticket, this);
    if (!call.fits(this.options.sandbox.memoryBytes)) return null;
    this.dispatch(call);
    return call;
  }

  dispatch(call: HookCall): void {
    const worker = this.pool.leastLoaded();
    if (worker !== null) call.sendTo(worker);
    else if (performance.now() + this.pool.nextStartInMs > call.deadlineAtMs) call.failed(this.unavailable());
    else this.waiting.push(call);
  }

  unavailable(): PluginFailure {
    const { name } = this.options;
    const { lastFailure } = this.pool;
    const why = lastFailure === null ? '' : `: ${lastFailure.message}`;
    return new PluginFailure('BW_PLUGIN_UNAVAILABLE', `plugin ${name} is not running${why}`, {
      plugin: name,
      phase: 'idle',
      hint: 'the server starts it again',
      retryAfterMs: this.pool.nextStartInMs,
      cause: lastFailure ?? undefined,
    });
  }

  cancelled(): BackworksError {
    return callCancelled(this.options.name);
  }

  async healthCheck(ticket: CallTicket): Promise<{ status: number; text: string }> {
    const worker = this.pool.leastLoaded() ?? this.pool.workingProcesses()[0];
    if (worker === undefined) throw this.unavailable();
    return worker.healthCheck(ticket);
  }

  get sandbox(): SandboxReport | null {
    return this.pool.sandbox;
  }

  processes(): NativeProcess[] {
    return this.pool.processes();
  }

  restart(): Promise<void> {
    return this.pool.restart();
  }

  reconfigure(configJson: string): Promise<void> {
    return reconfigureAll(() => this.pool.workingProcesses(), this.options, configJson);
  }

  adjust(settings: AdjustableSettings): void {
    Object.assign(this.options, settings);
  }

  async close(): Promise<void> {
    const closed = this.pool.close();
    this.releaseWaiting((call) => call.failed(this.unavailable()));
    await closed;
  }

  /** Prepares the configuration once for all processes; later configurations are prepared by the caller. */
  private prepare(description: LibraryDescription): Promise<void> | undefined {
    const { prepareConfig } = this.options;
    if (prepareConfig === undefined) return undefined;
    this.prepared ??= prepareConfig(description).then((json) => void (this.options.configJson = json));
    return this.prepared;
  }

  private releaseWaiting(release: (call: HookCall) => void): void {
    for (const call of this.waiting.splice(0)) if (!call.abandoned) release(call);
  }
}
