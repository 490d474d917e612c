import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PluginRecord, VersionHistory } from './version-history.js';
import { KeyedMutex } from '../../mutex.js';
import { openCacheDirectory } from '../../native/cache-directory.js';
import type { SwapRecord, VersionName } from '../entry/swap-record.js';

const EMPTY: PluginRecord = { versions: [], refused: [], history: [] };
const HISTORY_MAX = 100;
const REFUSED_MAX = 20;
const NAME = /^[0-9a-f]{32}\.json$/;

/** The version history on disk: one file for each plugin of a configuration. */
export class VersionRecords implements VersionHistory {
  /** One lock for each plugin's file. */
  private readonly files = new KeyedMutex();

  private constructor(
    private readonly directory: string,
    private readonly configFile: string | null,
  ) {}

  /**
   * @param configFile plugins of different configurations have separate records
   * @param cache default: see openCacheDirectory
   */
  static async open(configFile: string | null, cache?: string): Promise<VersionRecords> {
    const directory = join(await openCacheDirectory(cache), 'versions');
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return new VersionRecords(directory, configFile);
  }

  async read(plugin: string): Promise<PluginRecord> {
    return this.files.run(plugin, () => readRecord(this.pathOf(plugin)));
  }

  async recordServing(plugin: string, version: VersionName, keep: number): Promise<void> {
    await this.change(plugin, (known) => withServing(known, version, keep));
  }

  async recordSwap(plugin: string, record: SwapRecord, keep: number): Promise<void> {
    const { outcome, from, to, reason } = record;
    await this.change(plugin, (before) => {
      const known = { ...before, history: [record, ...before.history] };
      if (outcome === 'rejected') return known;
      const serving = withServing(known, to, keep);
      return outcome === 'swapped'
        ? serving
        : withRefused(serving, from.digest, reason ?? 'requested by an operator');
    });
  }

  /** @throws Error when the record cannot be written */
  async change(plugin: string, change: (record: PluginRecord) => PluginRecord): Promise<PluginRecord> {
    return this.files.run(plugin, async () => {
      const { versions, refused, history } = change(await readRecord(this.pathOf(plugin)));
      const record = {
        versions,
        refused: refused.slice(0, REFUSED_MAX),
        history: history.slice(0, HISTORY_MAX),
      };
      await this.write(plugin, record);
      return record;
    });
  }

  async kept(): Promise<Set<string>> {
    await this.files.idle();
    const names = (await readdir(this.directory)).filter((name) => NAME.test(name));
    const records = await Promise.all(names.map((name) => readRecord(join(this.directory, name))));
    return new Set(records.flatMap(({ versions }) => versions.map(({ digest }) => digest)));
  }

  private async write(plugin: string, record: PluginRecord): Promise<void> {
    const draft = join(this.directory, `.${randomUUID()}`);
    try {
      const text = JSON.stringify({ plugin, config_file: this.configFile, ...record });
      await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
      await rename(draft, this.pathOf(plugin));
    } finally {
      await rm(draft, { force: true }).catch(() => undefined);
    }
  }

  private pathOf(plugin: string): string {
    const key = createHash('sha256').update(`${this.configFile ?? ''}\0${plugin}`);
    return join(this.directory, `${key.digest('hex').slice(0, 32)}.json`);
  }
}

async function readRecord(path: string): Promise<PluginRecord> {
  try {
    const record = JSON.parse(await readFile(path, 'utf8')) as Partial<PluginRecord>;
    const { versions, refused, history } = record;
    return [versions, refused, history].every(Array.isArray) ? { ...EMPTY, ...record } : EMPTY;
  } catch {
    return EMPTY;
  }
}

/**
 * Updates the record when a version begins to serve.
 * @param keep number of versions to keep
 * @internal exported for its test
 */
export function withServing(
  record: PluginRecord,
  { digest, version }: VersionName,
  keep: number,
): PluginRecord {
  if (digest === null) return record;
  const since = new Date().toISOString();
  const others = record.versions.filter((known) => known.digest !== digest);
  return {
    ...record,
    versions: [{ digest, version: version ?? 'unknown', since }, ...others].slice(0, keep),
    refused: record.refused.filter((refused) => refused.digest !== digest),
  };
}

/**
 * Updates the record when a version was rolled back.
 * @internal exported for its test
 */
export function withRefused(record: PluginRecord, digest: string | null, reason: string): PluginRecord {
  if (digest === null) return record;
  const others = record.refused.filter((known) => known.digest !== digest);
  return { ...record, refused: [{ digest, reason, since: new Date().toISOString() }, ...others] };
}
