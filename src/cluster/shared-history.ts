import type { SwapRecord, VersionName } from '../lifecycle/entry/swap-record.js';
import { VersionRecords } from '../lifecycle/records/version-records.js';

/** Something that became of a swap, and the workers that have told of it. */
interface Told {
  readonly key: string;
  readonly by: Set<number>;
  /** Resolves when it stands in the history. */
  readonly written: Promise<void>;
}

/** Events of a plugin that workers may still tell of. */
const RECENT_MAX = 16;

/** The history of the plugins of all workers: what several of them tell of one event is written once. */
export class SharedHistory {
  private records: Promise<VersionRecords> | null = null;
  /** By plugin, oldest first. */
  private readonly recent = new Map<string, Told[]>();

  constructor(private readonly configFile: string | null) {}

  async serves(plugin: string, version: VersionName, keep: number): Promise<void> {
    await (await this.open()).serves(plugin, version, keep);
  }

  /**
   * Each worker tells in order: an event is the first of its kind that it has not told, later than those it has.
   * @returns whether it is the first that tells of it, and what resolves when it is written
   */
  happened(
    worker: number,
    plugin: string,
    record: SwapRecord,
    keep: number,
  ): { readonly isNew: boolean; readonly written: Promise<void> } {
    const { outcome, from, to } = record;
    const key = JSON.stringify([outcome, from.digest, to.digest]);
    const recent = this.recent.get(plugin) ?? [];
    const last = recent.findLastIndex(({ by }) => by.has(worker));
    const known = recent.find((told, index) => index > last && told.key === key);
    known?.by.add(worker);
    if (known !== undefined) return { isNew: false, written: known.written };
    const written = this.write(plugin, record, keep);
    this.recent.set(plugin, [...recent, { key, by: new Set([worker]), written }].slice(-RECENT_MAX));
    return { isNew: true, written };
  }

  /** Another process has the number of one that ended. */
  forget(worker: number): void {
    for (const told of [...this.recent.values()].flat()) told.by.delete(worker);
  }

  private async write(plugin: string, record: SwapRecord, keep: number): Promise<void> {
    await (await this.open()).happened(plugin, record, keep);
  }

  private open(): Promise<VersionRecords> {
    return (this.records ??= VersionRecords.open(this.configFile));
  }
}
