import type { SwapRecord, VersionName } from '../lifecycle/entry/swap-record.js';
import { VersionRecords } from '../lifecycle/records/version-records.js';

/** The result of a swap, and the workers that have reported it. */
interface ReportedEvent {
  readonly key: string;
  readonly by: Set<number>;
  /** Resolves when the history file contains the event. */
  readonly written: Promise<void>;
}

/** Events kept per plugin, because other workers may still report them. */
const RECENT_MAX = 16;

/** The version history for all workers. An event that several workers report is written once. */
export class SharedHistory {
  private records: Promise<VersionRecords> | null = null;
  /** Plugin name → recent events, oldest first. */
  private readonly recent = new Map<string, ReportedEvent[]>();

  constructor(private readonly configFile: string | null) {}

  async recordServing(plugin: string, version: VersionName, keep: number): Promise<void> {
    await (await this.open()).recordServing(plugin, version, keep);
  }

  /**
   * Records the result of a swap. Each worker reports its events in order. A report therefore belongs to the
   * first matching event after the last one that this worker reported.
   * @returns whether this worker is the first to report the event, and a promise for the written history
   */
  recordSwap(
    worker: number,
    plugin: string,
    record: SwapRecord,
    keep: number,
  ): { readonly isNew: boolean; readonly written: Promise<void> } {
    const { outcome, from, to } = record;
    const key = JSON.stringify([outcome, from.digest, to.digest]);
    const recent = this.recent.get(plugin) ?? [];
    const last = recent.findLastIndex(({ by }) => by.has(worker));
    const known = recent.find((event, index) => index > last && event.key === key);
    known?.by.add(worker);
    if (known !== undefined) return { isNew: false, written: known.written };
    const written = this.write(plugin, record, keep);
    this.recent.set(plugin, [...recent, { key, by: new Set([worker]), written }].slice(-RECENT_MAX));
    return { isNew: true, written };
  }

  /** Called when a new process takes over the number of a worker that exited. */
  forget(worker: number): void {
    for (const event of [...this.recent.values()].flat()) event.by.delete(worker);
  }

  private async write(plugin: string, record: SwapRecord, keep: number): Promise<void> {
    await (await this.open()).recordSwap(plugin, record, keep);
  }

  private open(): Promise<VersionRecords> {
    return (this.records ??= VersionRecords.open(this.configFile));
  }
}
