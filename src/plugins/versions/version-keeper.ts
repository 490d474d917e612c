import { BackworksError } from '../../errors.js';
import type { Log } from '../../log.js';
import type { LibraryStore, StoredLibrary } from '../../native/library-store.js';
import type { LibraryChoice } from '../loader.js';
import type { PluginEntry } from '../plugin-entry.js';
import type { SwapRecord, VersionName } from './swap-record.js';
import {
  type KnownVersion,
  type PluginRecord,
  refused,
  served,
  type VersionRecords,
} from './version-records.js';

/** A copy nobody keeps or holds may have been made a moment ago by who describes libraries. */
const STRAY_MS = 24 * 3_600_000;

export interface VersionKeeperOptions {
  readonly log: Log;
  readonly store: () => Promise<LibraryStore>;
  readonly records: () => Promise<VersionRecords>;
}

/** A version and its copy. */
type KeptVersion = KnownVersion & { readonly library: StoredLibrary };

/** A plugin's plan, and the digest of what it runs. */
interface Served {
  readonly plan: PluginEntry;
  readonly digest: string | null;
}

/** Remembers which versions of a plugin served, and keeps copies of the last ones. */
export class VersionKeeper {
  /** Libraries this server has looked at: their copies go as soon as nothing needs them. */
  private readonly seen = new Set<string>();

  constructor(private readonly options: VersionKeeperOptions) {}

  /**
   * The library at an entry's path, but for one that was taken back: then the version that served before
   * it, until the file changes.
   */
  choose({ name }: PluginEntry): LibraryChoice {
    return async (add) => {
      const stored = await add();
      this.seen.add(stored.digest);
      const { refused, versions } = await this.read(name);
      const refusal = refused.find(({ digest }) => digest === stored.digest);
      if (refusal === undefined) return stored;
      const good = await this.firstKept(versions.filter(({ digest }) => !isIn(refused, digest)));
      const { log } = this.options;
      const fields = { plugin: name, digest: stored.digest };
      if (good === null) {
        log.warn(
          fields,
          `the library of plugin ${name} was taken back (${refusal.reason}), but no other is kept`,
        );
        return stored;
      }
      const what = `the library of plugin ${name} was taken back: ${refusal.reason}`;
      log.warn(fields, `${what}; version ${good.version} serves until the file changes`);
      return good.library;
    };
  }

  /** The digest to expect of an entry whose file has `digest`: another one while that was taken back. */
  async wanted({ name }: PluginEntry, digest: string): Promise<string> {
    const { refused, versions } = await this.read(name);
    if (!isIn(refused, digest)) return digest;
    return versions.find((known) => !isIn(refused, known.digest))?.digest ?? digest;
  }

  /** The library at an entry's path, whatever was the matter with it before. */
  chooseFile(): LibraryChoice {
    return async (add) => {
      const stored = await add();
      this.seen.add(stored.digest);
      return stored;
    };
  }

  /**
   * A version that served before.
   * @param to how many versions back, or the beginning of a digest; default: the last one that was not
   *   taken back
   * @throws BackworksError BW_PLUGIN_STATE when there is none
   */
  async find({ plan: { name }, digest: current }: Served, to?: string): Promise<KeptVersion> {
    const { versions, refused } = await this.read(name);
    const others = versions.filter(({ digest }) => digest !== current);
    const wanted =
      to === undefined ? others.filter(({ digest }) => !isIn(refused, digest)) : pick(others, to);
    const found = await this.firstKept(wanted);
    if (found !== null) return found;
    const which =
      to === undefined ? 'no version to go back to' : `no version ${JSON.stringify(to)} to go back to`;
    const kept = others.map(({ digest, version }) => `${version} (${digest.slice(0, 12)})`).join(', ');
    const hint = `kept are: ${kept || 'none'}`;
    throw new BackworksError('BW_PLUGIN_STATE', `plugin ${name} has ${which}`, { hint });
  }

  async read(name: string): Promise<PluginRecord> {
    return (await this.options.records()).read(name);
  }

  /** A version has begun to serve without a swap, at the start of the server. Never rejects. */
  async serves({ name, config }: PluginEntry, version: VersionName): Promise<void> {
    await this.note(name, (known) => served(known, version, config.swap.keep));
  }

  /** Remembers what became of a swap, and removes copies nothing needs any more. Never rejects. */
  async happened({ name, config }: PluginEntry, record: SwapRecord): Promise<void> {
    const { outcome, from, to, reason } = record;
    await this.note(name, (before) => {
      const known = { ...before, history: [record, ...before.history] };
      if (outcome === 'rejected') return known;
      const serving = served(known, to, config.swap.keep);
      return outcome === 'swapped' ? serving : refused(serving, from.digest, reason ?? 'by hand');
    });
    await this.prune();
  }

  /** Removes copies nothing needs any more. Never rejects. */
  async prune(): Promise<void> {
    try {
      const [store, records] = await Promise.all([this.options.store(), this.options.records()]);
      const kept = await records.kept();
      const strayBefore = Date.now() - STRAY_MS;
      await store.prune(
        ({ digest, modifiedMs }) => !kept.has(digest) && (this.seen.has(digest) || modifiedMs < strayBefore),
      );
    } catch (err) {
      this.options.log.warn({ err }, 'old copies of libraries cannot be removed');
    }
  }

  private async firstKept(versions: readonly KnownVersion[]): Promise<KeptVersion | null> {
    const store = await this.options.store();
    for (const version of versions) {
      const library = await store.find(version.digest);
      if (library !== null) return { ...version, library };
    }
    return null;
  }

  private async note(plugin: string, change: (record: PluginRecord) => PluginRecord): Promise<void> {
    try {
      await (await this.options.records()).change(plugin, change);
    } catch (err) {
      this.options.log.warn({ plugin, err }, `the history of plugin ${plugin} cannot be written`);
    }
  }
}

function isIn(versions: readonly { readonly digest: string }[], wanted: string): boolean {
  return versions.some(({ digest }) => digest === wanted);
}

/** By number, 1 for the version before; or by eight or more digits of a digest. */
function pick(others: readonly KnownVersion[], to: string): KnownVersion[] {
  if (/^[1-9][0-9]{0,2}$/.test(to)) return others.slice(Number(to) - 1, Number(to));
  return /^[0-9a-f]{8,64}$/.test(to) ? others.filter(({ digest }) => digest.startsWith(to)) : [];
}
