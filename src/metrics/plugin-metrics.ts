import { Counter, Gauge, Registry } from 'prom-client';
import type { ErrorCode, PluginPhase } from '../errors.js';
import { DurationHistogram, type DurationSeries } from './duration-histogram.js';

const NS_PER_SECOND = 1e9;
const CUSTOM_NAMES_MAX = 100;
/** Larger steps are ignored: a few of them would make the counter infinite, which no scrape can undo. */
const CUSTOM_DELTA_MAX = Number.MAX_SAFE_INTEGER;
const CUSTOM_NAME = /^[a-z][a-z0-9_]{0,63}$/;

type Labels = 'plugin' | 'hook';

/** What the functions of one hook of one plugin took. */
interface OwnTime {
  readonly labels: Readonly<Record<Labels, string>>;
  nanoseconds: number;
}

/** Every number the server keeps about its plugins, in a registry of its own. */
export class PluginMetrics {
  readonly registry = new Registry();
  private readonly duration: DurationHistogram;
  private readonly ownTimes = new Map<string, OwnTime>();
  private readonly failures: Counter<Labels | 'code'>;
  private readonly circuit: Gauge<'plugin'>;
  private readonly refusals: Counter<'plugin' | 'permission'>;
  private readonly custom: Counter<'plugin' | 'name'>;
  private readonly restarts: Counter<'plugin'>;
  private readonly customNames = new Map<string, Set<string>>();

  constructor() {
    const registers = [this.registry];
    this.duration = new DurationHistogram(
      'backworks_plugin_call_duration_seconds',
      'Time from asking a plugin to its answer or failure, waiting included.',
      this.registry,
    );
    const ownTimes = this.ownTimes;
    new Counter({
      name: 'backworks_plugin_own_seconds_total',
      help: 'Time plugins say their own functions took, of calls that were answered.',
      labelNames: ['plugin', 'hook'],
      registers,
      // A call adds to a number; labels are looked at when somebody reads.
      collect() {
        this.reset();
        for (const { labels, nanoseconds } of ownTimes.values())
          if (nanoseconds > 0) this.inc(labels, nanoseconds / NS_PER_SECOND);
      },
    });
    this.failures = new Counter({
      name: 'backworks_plugin_failures_total',
      help: 'Calls without a usable answer, by error code.',
      labelNames: ['plugin', 'hook', 'code'],
      registers,
    });
    this.circuit = new Gauge({
      name: 'backworks_plugin_circuit_state',
      help: 'Circuit breaker: 0 closed, 1 half open, 2 open.',
      aggregator: 'max',
      labelNames: ['plugin'],
      registers,
    });
    this.restarts = new Counter({
      name: 'backworks_plugin_process_failures_total',
      help: 'Plugin processes that ended unasked.',
      labelNames: ['plugin'],
      registers,
    });
    this.refusals = new Counter({
      name: 'backworks_plugin_refusals_total',
      help: 'What the sandbox refused plugins that live on, by the permission that would allow it.',
      labelNames: ['plugin', 'permission'],
      registers,
    });
    this.custom = new Counter({
      name: 'backworks_plugin_custom_total',
      help: 'Counters raised by plugins through the host table.',
      labelNames: ['plugin', 'name'],
      registers,
    });
  }

  /** The recorder of one hook of one plugin; made once, used for every call. */
  hook(plugin: string, hook: PluginPhase): HookMetrics {
    const labels = { plugin, hook };
    return new HookMetrics(this.duration.series(labels), this.ownTime(labels), (code) =>
      this.failures.inc({ plugin, hook, code }),
    );
  }

  private ownTime(labels: OwnTime['labels']): OwnTime {
    const key = JSON.stringify(labels);
    const own = this.ownTimes.get(key) ?? { labels, nanoseconds: 0 };
    this.ownTimes.set(key, own);
    return own;
  }

  circuitState(plugin: string, state: 'closed' | 'half-open' | 'open'): void {
    this.circuit.set({ plugin }, { closed: 0, 'half-open': 1, open: 2 }[state]);
  }

  /** A plugin that is gone has no circuit; what was counted of it stays. */
  withdraw(plugin: string): void {
    this.circuit.remove({ plugin });
  }

  processFailed(plugin: string): void {
    this.restarts.inc({ plugin });
  }

  /** @param permission that would have allowed it; null where none does */
  refused(plugin: string, permission: string | null, times: number): void {
    this.refusals.inc({ plugin, permission: permission ?? 'none' }, times);
  }

  /** Adds to a plugin's own counter; ignores what the ABI says is ignored. */
  customCounter(plugin: string, name: string, delta: number): void {
    if (!CUSTOM_NAME.test(name) || !(delta >= 0 && delta <= CUSTOM_DELTA_MAX)) return;
    const names = this.customNames.get(plugin) ?? new Set();
    if (!names.has(name) && names.size >= CUSTOM_NAMES_MAX) return;
    this.customNames.set(plugin, names.add(name));
    this.custom.inc({ plugin, name }, delta);
  }

  /** The Prometheus text exposition of everything. */
  text(): Promise<string> {
    return this.registry.metrics();
  }
}

/** What is kept of one hook's calls. */
export class HookMetrics {
  /** Calls that ended, well or not. */
  calls = 0;
  failed = 0;
  /** Milliseconds they took together. */
  busyMs = 0;
  /** Called once, at the next call that succeeds; null while nobody waits for one. */
  onSuccess: (() => void) | null = null;

  constructor(
    private readonly duration: DurationSeries,
    private readonly own: OwnTime,
    private readonly countFailure: (code: ErrorCode) => void,
  ) {}

  /** The plugin answered, and says that it took so long itself: to be told, not to be relied on. */
  answered(ownNs: number): void {
    this.own.nanoseconds += ownNs;
  }

  succeeded(milliseconds: number): void {
    this.calls += 1;
    this.busyMs += milliseconds;
    this.duration.observe(milliseconds / 1000);
    if (this.onSuccess !== null) this.reportSuccess(this.onSuccess);
  }

  failedWith(code: ErrorCode, milliseconds: number): void {
    this.calls += 1;
    this.busyMs += milliseconds;
    this.failed += 1;
    this.duration.observe(milliseconds / 1000);
    this.countFailure(code);
  }

  private reportSuccess(listener: () => void): void {
    this.onSuccess = null;
    listener();
  }
}
