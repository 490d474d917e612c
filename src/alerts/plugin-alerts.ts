import type { AlertEvent, AlertsConfig } from '../config/types.js';
import type { PluginState } from '../lifecycle/entry/plugin-state.js';
import type { PostMortem, StateChange } from '../lifecycle/entry/status.js';
import type { PluginAlert } from './alert.js';

const RECOVERED = 'recovered';
/** From best to worst. */
const SEVERITY: readonly AlertEvent[] = [RECOVERED, 'degraded', 'failed', 'quarantined'];
/** States that cause no alert, because another state follows or an operator chose them. */
const TRANSIENT: ReadonlySet<PluginState> = new Set<PluginState>([
  'discovered',
  'lazy',
  'loading',
  'stopped',
]);

/**
 * Decides which state changes of one plugin become alerts. The first change is reported at once and starts an
 * interval of `minIntervalMs`. Within the interval only a state worse than all reported ones, and one recovery,
 * are reported at once. All other changes are reported together when the interval ends, so that the last
 * alert always shows the plugin's current state.
 */
export class PluginAlerts {
  /** The current state, as an alert event. */
  private level: AlertEvent = RECOVERED;
  private reportedLevel: AlertEvent = RECOVERED;
  /** The last state, reported or not. */
  private state: PluginState = 'loading';
  /** The state before the last change for better or worse. */
  private from: PluginState = 'loading';
  private latest: StateChange | null = null;
  private failure: PostMortem | null = null;
  private changes = 0;
  private interval: NodeJS.Timeout | null = null;
  /** The worst event reported in this interval. */
  private peak: AlertEvent = RECOVERED;
  private recoveryReported = false;

  constructor(
    /** Called each time, because a reload may change the settings. */
    private readonly settings: () => Pick<AlertsConfig, 'on' | 'minIntervalMs'>,
    private readonly report: (alert: PluginAlert) => void,
  ) {}

  note(change: StateChange): void {
    if (TRANSIENT.has(change.state)) return;
    const level = this.levelOf(change);
    const before = this.state;
    this.state = change.state;
    if (level === this.level) return;
    this.from = before;
    this.level = level;
    this.latest = change;
    this.failure = change.failure ?? this.failure;
    this.changes += 1;
    if (this.isDueNow()) this.send();
  }

  /** Reports the changes that were held back. */
  close(): void {
    if (this.interval !== null) clearTimeout(this.interval);
    this.interval = null;
    if (this.changes > 0) this.send();
    if (this.interval !== null) clearTimeout(this.interval);
  }

  /** Events that `alerts.on` does not list count as recovered. */
  private levelOf({ state, code }: StateChange): AlertEvent {
    const { on } = this.settings();
    if (state === 'degraded' && on.includes('degraded')) return 'degraded';
    if (state !== 'failed') return RECOVERED;
    if (code === 'BW_PLUGIN_QUARANTINED' && on.includes('quarantined')) return 'quarantined';
    return on.includes('failed') ? 'failed' : RECOVERED;
  }

  private isDueNow(): boolean {
    if (this.interval === null || isWorse(this.level, this.peak)) return true;
    return this.level === RECOVERED && this.reportedLevel !== RECOVERED && !this.recoveryReported;
  }

  private send(): void {
    const { level, latest, changes, failure, from } = this;
    if (latest === null) return;
    this.recoveryReported ||= level === RECOVERED;
    if (isWorse(level, this.peak)) this.peak = level;
    this.reportedLevel = level;
    this.changes = 0;
    this.failure = null;
    this.interval ??= setTimeout(() => this.intervalEnds(), this.settings().minIntervalMs).unref();
    if (this.settings().on.includes(level))
      this.report({ event: level, from, change: latest, changes, failure });
  }

  private intervalEnds(): void {
    this.interval = null;
    this.peak = RECOVERED;
    this.recoveryReported = false;
    if (this.changes > 0) this.send();
  }
}

function isWorse(a: AlertEvent, b: AlertEvent): boolean {
  return SEVERITY.indexOf(a) > SEVERITY.indexOf(b);
}
