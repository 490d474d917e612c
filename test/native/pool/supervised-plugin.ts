import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeadlineTimer } from '../../../dist/execution/deadline.js';
import { PluginExecutor } from '../../../dist/execution/executor.js';
import { PluginMetrics } from '../../../dist/metrics/plugin-metrics.js';
import { type PluginFailure, parseConfig } from '../../../dist/index.js';
import { IsolatedPlugin } from '../../../dist/native/pool/isolated.js';
import type { CallTicket, StopReason } from '../../../dist/call-ticket.js';
import type { NativePluginOptions, NativeReply } from '../../../dist/native/plugin.js';
import { compilePlugin } from '../../fixtures/compile.js';

/** The outcome of a call: the answer's text, or the error. */
export interface Outcome {
  readonly id: string;
  readonly answer: string | null;
  readonly error: PluginFailure | null;
}

export type ProcessFailure = Pick<PluginFailure, 'code' | 'phase' | 'requestId'>;

export interface Supervision {
  /** Time limit of the whole call, including waiting. */
  readonly callMs?: number;
  readonly queue?: number;
  /** Another plugin of test/fixtures/plugins that counts its calls in metrics. */
  readonly library?: string;
  readonly concurrency?: number;
  readonly options?: Partial<NativePluginOptions>;
  readonly memoryBytes?: number;
}

/** test/fixtures/plugins/supervised.c, or a similar plugin, behind its executor, as in the server. */
export class SupervisedPlugin {
  /** Executions by call id, as the plugin counted them. */
  readonly executions = new Map<string, number>();
  /** Failures of processes, in order. */
  readonly failures: ProcessFailure[] = [];
  /** Ids of the /sleep calls that have begun. */
  readonly begun = new Set<string>();
  recoveries = 0;
  private nextId = 1;
  private native!: IsolatedPlugin;
  private options!: NativePluginOptions;
  private readonly executor: PluginExecutor;
  private readonly directory = mkdtempSync(join(tmpdir(), 'backworks-supervision-'));

  private constructor({ callMs = 10_000, queue = 64, concurrency = 1 }: Supervision) {
    const limits = `{ queue: ${queue}, concurrency: ${concurrency} }`;
    const yaml = `plugins: { supervised: { path: /x, limits: ${limits} } }`;
    const policy = parseConfig(yaml, { directory: '/' }).config.plugins[0];
    if (policy === undefined) throw new Error('no policy');
    this.executor = new PluginExecutor({
      plugin: 'supervised',
      settings: {
        ...policy,
        timeouts: { callMs },
        circuitBreaker: { failures: 1_000_000, windowMs: 1, resetAfterMs: 1 },
      },
      timer: new DeadlineTimer(),
      metrics: new PluginMetrics(),
      onCircuitChange: () => undefined,
    });
  }

  static async open(supervision: Supervision = {}): Promise<SupervisedPlugin> {
    const plugin = new SupervisedPlugin(supervision);
    plugin.options = plugin.nativeOptions(supervision);
    plugin.native = await IsolatedPlugin.open(plugin.options);
    return plugin;
  }

  /** Calls the plugin; `action` is one of its endpoints. Never rejects. */
  async call(action: string, argument = ''): Promise<Outcome> {
    const id = `call_${this.nextId++}`;
    try {
      const reply = await this.executor.run('process_endpoint', {
        requestId: id,
        callers: [],
        trace: null,
        begin: (call) => this.native.call('process_endpoint', [action, argument, id], call),
        read: (answer: NativeReply) => answer,
      });
      return { id, answer: reply === null ? null : reply.toString(), error: null };
    } catch (error) {
      return { id, answer: null, error: error as PluginFailure };
    }
  }

  /** A call without the executor's guards, for tests that stop calls themselves. */
  start(
    action: string,
    argument = '',
    data?: string,
    limitMs = Infinity,
  ): { id: string; outcome: Promise<string>; cancel: () => void } {
    const id = `call_${this.nextId++}`;
    let stop: ((reason: StopReason) => void) | null = null;
    const ticket: CallTicket = {
      deadlineAtMs: performance.now() + limitMs,
      requestId: id,
      callers: [],
      trace: null,
      onStop: (handler) => (stop = handler),
    };
    const reply = this.native.call('process_endpoint', [action, argument, data ?? id], ticket);
    const outcome = reply.then(String, (error: PluginFailure) => error.code);
    return { id, outcome, cancel: () => stop?.('cancelled') };
  }

  reconfigure(configJson: string): Promise<void> {
    return this.native.reconfigure(configJson);
  }

  restart(): Promise<void> {
    return this.native.restart();
  }

  health(): Promise<{ status: number }> {
    return this.executor.execute('health_check', (call) => this.native.healthCheck(call));
  }

  /** Executions of the call. */
  executed(id: string): number {
    return this.executions.get(id) ?? 0;
  }

  sandbox(): IsolatedPlugin['sandbox'] {
    return this.native.sandbox;
  }

  processes(): ReturnType<IsolatedPlugin['processes']> {
    return this.native.processes();
  }

  /** The serving process, if there is one. */
  worker(): number | undefined {
    return this.processes().find(({ state }) => state === 'ready')?.pid;
  }

  adjust(settings: Partial<NativePluginOptions>): void {
    Object.assign(this.options, settings);
    this.native.adjust(this.options);
  }

  async close(): Promise<void> {
    await this.native.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  private nativeOptions({
    options = {},
    memoryBytes = 256 * 1024 * 1024,
    library = 'supervised',
    concurrency = 1,
  }: Supervision): NativePluginOptions {
    // A server that runs as root starts its runners as another user.
    chmodSync(this.directory, 0o755);
    const libraryPath = join(this.directory, 'supervised.so');
    copyFileSync(compilePlugin(library), libraryPath);
    return {
      name: 'supervised',
      libraryPath,
      configJson: '{}',
      sandbox: {
        mode: 'strict',
        permissions: {
          filesystem: { read: [], write: [] },
          network: { connect: [], listen: [], udp: false, fetch: [] },
          env: [],
        },
        memoryBytes,
        openFiles: 64,
        fileSizeBytes: 1024 * 1024,
        threads: 64,
        user: null,
      },
      environment: {},
      instances: 1,
      concurrency,
      initializeTimeoutMs: 10_000,
      shutdownTimeoutMs: 2000,
      replyBytesMax: 8 * 1024 * 1024,
      logBytesPerSecond: 64 * 1024,
      recycleCalls: 0,
      recycleMemoryBytes: 0,
      idleCpuPercent: 0,
      callCpuMs: 0,
      restart: { delayMs: 1, maxDelayMs: 2 },
      events: {
        log: ({ text }) => void this.begun.add(text),
        metric: (id, delta) => void this.executions.set(id, this.executed(id) + delta),
        // Not the error itself: its stack would keep everything alive that it refers to.
        failed: ({ code, phase, requestId }) => void this.failures.push({ code, phase, requestId }),
        refused: () => undefined,
        recovered: () => void (this.recoveries += 1),
      },
      ...options,
    };
  }
}

/** Runs `total` jobs, at most `width` at a time. Returns the results in the order of the jobs. */
export async function inFlight<T>(
  width: number,
  total: number,
  job: (index: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < total) {
      const index = next++;
      results[index] = await job(index);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  return results;
}

/** Waits until `condition` holds. @throws Error when it does not within `ms`. */
export async function until(condition: () => boolean, what: string, ms = 10_000): Promise<void> {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${ms / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
