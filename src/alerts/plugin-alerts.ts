import type { AlertEvent, AlertsConfig } from '../config/types.js';
import type { PluginState } from '../lifecycle/entry/plugin-state.js';
import type { PostMortem, StateChange } from '../lifecycle/entry/status.js';
import type { PluginAlert } from './alert.js';

const WELL = 'recovered';
/** From well to worse. */
const SEVERITY: readonly AlertEvent[] = [WELL, 'degraded', 'failed', 'quarantined'];
/** States on the way to another one say nothing. */
const TRANSIENT: ReadonlySet<PluginState> = new Set<PluginState>([
  'discovered',
  'lazy',
  'loading',
  'stopped',
]);

/**
 * Decides what of one plugin's changes is told. The first is told at once; within `minIntervalMs` of it
 * only what is worse than anything told in that time, and one recovery. All other changes are told
 * together when that time is over, so that the last state told is always the plugin's own.
 */
export class PluginAlerts {
  /** The state as far as alerts go. */
  private level: AlertEvent = WELL;
  private toldLevel: AlertEvent = WELL;
  /** The state noted last, whether it was told or not. */
  private state: PluginState = 'loading';
  /** The state the plugin left last for a better or worse one. */
  private from: PluginState = 'loading';
  private latest: StateChange | null = null;
  private failure: PostMortem | null = null;
  private changes = 0;
  private interval: NodeJS.Timeout | null = null;
  /** The worst that was told in this interval. */
  private peak: AlertEvent = WELL;
  private recoveryTold = false;

  constructor(
    /** Asked for each time: they may change. */
    private readonly settings: () => Pick<AlertsConfig, 'on' | 'minIntervalMs'>,
    private readonly tell: (alert: PluginAlert) => void,
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
    if (this.isUrgent()) this.send();
  }

  /** Tells what was held back. */
  close(): void {
    if (this.interval !== null) clearTimeout(this.interval);
    this.interval = null;
    if (this.changes > 0) this.send();
    if (this.interval !== null) clearTimeout(this.interval);
  }

  /** What nobody wants to hear of counts as well. */
  private levelOf({ state, code }: StateChange): AlertEvent {
    const { on } = this.settings();
    if (state === 'degraded' && on.includes('degraded')) return 'degraded';
    if (state !== 'failed') return WELL;
    if (code === 'BW_PLUGIN_QUARANTINED' && on.includes('quarantined')) return 'quarantined';
    return on.includes('failed') ? 'failed' : WELL;
  }

  private isUrgent(): boolean {
    if (this.interval === null || isWorse(this.level, this.peak)) return true;
    return this.level === WELL && this.toldLevel !== WELL && !this.recoveryTold;
  }

  private send(): void {
    const { level, latest, changes, failure, from } = this;
    if (latest === null) return;
    this.recoveryTold ||= level === WELL;
    if (isWorse(level, this.peak)) this.peak = level;
    this.toldLevel = level;
    this.changes = 0;
    this.failure = null;
    this.interval ??= setTimeout(() => this.intervalEnds(), this.settings().minIntervalMs).unref();
    if (this.settings().on.includes(level))
      this.tell({ event: level, from, change: latest, changes, failure });
  }

  private intervalEnds(): void {
    this.interval = null;
    this.peak = WELL;
    this.recoveryTold = false;
    if (this.changes > 0) this.send();
  }
}

function isWorse(a: AlertEvent, b: AlertEvent): boolean {
  return SEVERITY.indexOf(a) > SEVERITY.indexOf(b);
}
