import { BackworksError } from '../../errors.js';
import type { Log } from '../../log.js';
import type { LibraryStore, StoredLibrary } from '../../native/library/library-store.js';
import type { LibraryChoice } from '../../plugins/loader.js';
import type { PluginEntry } from '../../plugins/plugin-entry.js';
import type { SwapRecord, VersionName } from '../entry/swap-record.js';
import type { VersionHistory, KnownVersion, PluginRecord } from './version-history.js';

/** Unknown copies are removed only after this time, because another process may have just made them. */
const STRAY_MS = 24 * 3_600_000;

export interface VersionKeeperOptions {
  readonly log: Log;
  readonly store: () => Promise<LibraryStore>;
  readonly history: () => Promise<VersionHistory>;
  /** Plugin name → digest of the version to run at the first start in this process, if a copy exists. */
  readonly serving: ReadonlyMap<string, string>;
}

/** A version and the stored copy of its library. */
type KeptVersion = KnownVersion & { readonly library: StoredLibrary };

/** A plugin's plan, and the digest of the library it runs. */
interface Served {
  readonly plan: PluginEntry;
  readonly digest: string | null;
}

/** Records which versions of a plugin served, and keeps copies of the last ones. */
export class VersionKeeper {
  /** Digests of libraries that this server copied. Their copies are removed as soon as they are not needed. */
  private readonly copied = new Set<string>();
  private readonly serving: Map<string, string>;

  constructor(private readonly options: VersionKeeperOptions) {
    this.serving = new Map(options.serving);
  }

  /**
   * Chooses the library at the entry's path. If that version was rolled back, chooses the last good version until
   * the file changes.
   */
  choose({ name }: PluginEntry): LibraryChoice {
    return async (add) => {
      const running = await this.takeServing(name);
      if (running !== null) return running;
      const stored = await add();
      this.copied.add(stored.digest);
      const { refused, versions } = await this.read(name);
      const refusal = refused.find(({ digest }) => digest === stored.digest);
      if (refusal === undefined) return stored;
      const good = await this.firstKept(versions.filter(({ digest }) => !isIn(refused, digest)));
      const { log } = this.options;
      const fields = { plugin: name, digest: stored.digest };
      if (good === null) {
        log.warn(
          fields,
          `the library of plugin ${name} was rolled back before (${refusal.reason}), but no other version is kept; starting it again`,
        );
        return stored;
      }
      const what = `the library of plugin ${name} was rolled back before: ${refusal.reason}`;
      log.warn(fields, `${what}; version ${good.version} serves until the file changes`);
      return good.library;
    };
  }

  /** Chooses the stored copy of a version. @throws BackworksError BW_PLUGIN_STATE if there is none */
  chooseVersion({ name }: PluginEntry, { digest, version }: VersionName): LibraryChoice {
    return async () => {
      const found = await (await this.options.store()).find(digest ?? '');
      if (found !== null) return found;
      throw new BackworksError('BW_PLUGIN_STATE', `version ${version} of plugin ${name} is not kept`);
    };
  }

  /** The digest that choose() will give for an entry whose file has `digest`. */
  async expectedDigest({ name }: PluginEntry, digest: string): Promise<string> {
    const { refused, versions } = await this.read(name);
    if (!isIn(refused, digest)) return digest;
    return versions.find((known) => !isIn(refused, known.digest))?.digest ?? digest;
  }

  /** Chooses the library at the entry's path, even if that version was rolled back. */
  chooseFile(): LibraryChoice {
    return async (add) => {
      const stored = await add();
      this.copied.add(stored.digest);
      return stored;
    };
  }

  /**
   * Finds a version that served before.
   * @param to how many versions back, or the first digits of a digest; default: the last version that was not
   *   rolled back
   * @throws BackworksError BW_PLUGIN_STATE if there is none
   */
  async find({ plan: { name }, digest: current }: Served, to?: string): Promise<KeptVersion> {
    const { versions, refused } = await this.read(name);
    const others = versions.filter(({ digest }) => digest !== current);
    const wanted =
      to === undefined ? others.filter(({ digest }) => !isIn(refused, digest)) : pick(others, to);
    const found = await this.firstKept(wanted);
    if (found !== null) return found;
    const which = to === undefined ? 'no earlier version' : `no earlier version ${JSON.stringify(to)}`;
    const kept = others.map(({ digest, version }) => `${version} (${digest.slice(0, 12)})`).join(', ');
    const hint = `kept versions: ${kept || 'none'}`;
    throw new BackworksError('BW_PLUGIN_STATE', `plugin ${name} has ${which} to roll back to`, { hint });
  }

  async read(name: string): Promise<PluginRecord> {
    return (await this.options.history()).read(name);
  }

  /** Records that a version began to serve without a swap, at the start of the server. Never rejects. */
  async recordServing({ name, config }: PluginEntry, version: VersionName): Promise<void> {
    await this.write(name, (history) => history.recordServing(name, version, config.swap.keep));
  }

  /** Records the result of a swap and removes unneeded copies. Never rejects. */
  async recordSwap({ name, config }: PluginEntry, record: SwapRecord): Promise<void> {
    await this.write(name, (history) => history.recordSwap(name, record, config.swap.keep));
    await this.prune();
  }

  /** Removes unneeded copies. Never rejects. */
  async prune(): Promise<void> {
    try {
      const [store, history] = await Promise.all([this.options.store(), this.options.history()]);
      const kept = await history.kept();
      const strayBefore = Date.now() - STRAY_MS;
      await store.prune(
        ({ digest, modifiedMs }) =>
          !kept.has(digest) && (this.copied.has(digest) || modifiedMs < strayBefore),
      );
    } catch (err) {
      this.options.log.warn(
        { err },
        'old copies of libraries could not be removed; the next swap tries again',
      );
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

  /** The version that the other workers run, for the first start in this process; null afterwards. */
  private async takeServing(name: string): Promise<StoredLibrary | null> {
    const digest = this.serving.get(name);
    this.serving.delete(name);
    return digest === undefined ? null : (await this.options.store()).find(digest);
  }

  private async write(plugin: string, write: (history: VersionHistory) => Promise<void>): Promise<void> {
    try {
      await write(await this.options.history());
    } catch (err) {
      this.options.log.warn(
        { plugin, err },
        `the version history of plugin ${plugin} could not be written; it lacks the latest change`,
      );
    }
  }
}

function isIn(versions: readonly { readonly digest: string }[], wanted: string): boolean {
  return versions.some(({ digest }) => digest === wanted);
}

/** By number (1 is the previous version), or by eight or more digits of a digest. */
function pick(others: readonly KnownVersion[], to: string): KnownVersion[] {
  if (/^[1-9][0-9]{0,2}$/.test(to)) return others.slice(Number(to) - 1, Number(to));
  return /^[0-9a-f]{8,64}$/.test(to) ? others.filter(({ digest }) => digest.startsWith(to)) : [];
}
