import { Counter, Gauge, Registry } from 'prom-client';
import type { ErrorCode, PluginPhase } from '../errors.js';
import { CALL_BOUNDS, DurationHistogram, type DurationSeries } from './duration-histogram.js';

const NS_PER_SECOND = 1e9;
const CUSTOM_NAMES_MAX = 100;
/**
 * Larger increments are ignored. A few of them would make the counter infinite, which only a restart could
 * undo.
 */
const CUSTOM_DELTA_MAX = Number.MAX_SAFE_INTEGER;
const CUSTOM_NAME = /^[a-z][a-z0-9_]{0,63}$/;

type Labels = 'plugin' | 'hook';

/** Time spent in the functions of one hook of one plugin. */
interface OwnTime {
  readonly labels: Readonly<Record<Labels, string>>;
  nanoseconds: number;
}

/** All metrics that the server keeps about its plugins, in a registry of their own. */
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
  /** Plugins that were warned of. */
  private readonly overNamesMax = new Set<string>();

  constructor() {
    const registers = [this.registry];
    this.duration = new DurationHistogram(
      'backworks_plugin_call_duration_seconds',
      'Time from a call of a plugin to its answer or failure, including time in the queue.',
      this.registry,
      CALL_BOUNDS,
    );
    const ownTimes = this.ownTimes;
    new Counter({
      name: 'backworks_plugin_own_seconds_total',
      help: 'Time spent in the functions of a plugin, as reported by the plugin, for calls that were answered.',
      labelNames: ['plugin', 'hook'],
      registers,
      // A call only adds to a number. Labels are handled at each scrape.
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
      help: 'Plugin processes that exited unexpectedly.',
      labelNames: ['plugin'],
      registers,
    });
    this.refusals = new Counter({
      name: 'backworks_plugin_refusals_total',
      help: 'Operations that the sandbox refused without ending the process, by the permission that would allow them.',
      labelNames: ['plugin', 'permission'],
      registers,
    });
    this.custom = new Counter({
      name: 'backworks_plugin_custom_total',
      help: 'Counters that plugins increase through the host table.',
      labelNames: ['plugin', 'name'],
      registers,
    });
  }

  /** The recorder for one hook of one plugin. Created once and used for every call. */
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

  /** Removes the circuit breaker gauge of a removed plugin. Its counters stay. */
  withdraw(plugin: string): void {
    this.circuit.remove({ plugin });
  }

  processFailed(plugin: string): void {
    this.restarts.inc({ plugin });
  }

  /** @param permission the permission that would have allowed the operation; null when no permission does */
  refused(plugin: string, permission: string | null, times: number): void {
    this.refusals.inc({ plugin, permission: permission ?? 'none' }, times);
  }

  /**
   * Adds to a plugin's own counter. Ignores names and increments that the ABI does not allow.
   * @returns a warning the first time that the plugin uses more names than a plugin may have; otherwise null
   */
  customCounter(plugin: string, name: string, delta: number): string | null {
    if (!CUSTOM_NAME.test(name) || !(delta >= 0 && delta <= CUSTOM_DELTA_MAX)) return null;
    const names = this.customNames.get(plugin) ?? new Set();
    if (!names.has(name) && names.size >= CUSTOM_NAMES_MAX) return this.tooManyNames(plugin, name);
    this.customNames.set(plugin, names.add(name));
    this.custom.inc({ plugin, name }, delta);
    return null;
  }

  /** The counters that a plugin increased, by name. */
  async customCounts(plugin: string): Promise<Record<string, number>> {
    const { values } = await this.custom.get();
    const own = values.filter(({ labels }) => labels.plugin === plugin);
    return Object.fromEntries(own.map(({ labels, value }) => [String(labels.name), value]));
  }

  private tooManyNames(plugin: string, name: string): string | null {
    if (this.overNamesMax.has(plugin)) return null;
    this.overNamesMax.add(plugin);
    return `plugin ${plugin} uses more than ${CUSTOM_NAMES_MAX} counter names; ${name} and further names are not counted`;
  }

  /** Everything in the Prometheus text format. */
  text(): Promise<string> {
    return this.registry.metrics();
  }
}

/** The recorded numbers of one hook's calls. */
export class HookMetrics {
  /** Calls that ended, successful or not. */
  calls = 0;
  failed = 0;
  /** Total duration of these calls in milliseconds. */
  busyMs = 0;
  /** Called once on the next successful call. Null while nobody waits. */
  onSuccess: (() => void) | null = null;

  constructor(
    private readonly duration: DurationSeries,
    private readonly own: OwnTime,
    private readonly countFailure: (code: ErrorCode) => void,
  ) {}

  /** Records an answer. `ownNs` is the plugin's own claim, so it is reported but never trusted. */
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
