import { BackworksError } from '../../errors.js';
import type { Log } from '../../log.js';
import type { LibraryStore, StoredLibrary } from '../../native/library/library-store.js';
import type { LibraryChoice } from '../../plugins/loader.js';
import type { PluginEntry } from '../../plugins/plugin-entry.js';
import type { SwapRecord, VersionName } from '../entry/swap-record.js';
import type { VersionHistory, KnownVersion, PluginRecord } from './version-history.js';

/** A copy nobody keeps or holds may have been made a moment ago by who describes libraries. */
const STRAY_MS = 24 * 3_600_000;

export interface VersionKeeperOptions {
  readonly log: Log;
  readonly store: () => Promise<LibraryStore>;
  readonly history: () => Promise<VersionHistory>;
  /** By plugin, the digest of what it is to run when it first starts here, if there is a copy. */
  readonly serving: ReadonlyMap<string, string>;
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
  private readonly serving: Map<string, string>;

  constructor(private readonly options: VersionKeeperOptions) {
    this.serving = new Map(options.serving);
  }

  /**
   * The library at an entry's path, but for one that was taken back: then the version that served before
   * it, until the file changes.
   */
  choose({ name }: PluginEntry): LibraryChoice {
    return async (add) => {
      const running = await this.takeServing(name);
      if (running !== null) return running;
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

  /** The copy with that digest. @throws BackworksError BW_PLUGIN_STATE when there is none */
  chooseVersion({ name }: PluginEntry, { digest, version }: VersionName): LibraryChoice {
    return async () => {
      const found = await (await this.options.store()).find(digest ?? '');
      if (found !== null) return found;
      throw new BackworksError('BW_PLUGIN_STATE', `version ${version} of plugin ${name} is not kept`);
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
    return (await this.options.history()).read(name);
  }

  /** A version has begun to serve without a swap, at the start of the server. Never rejects. */
  async serves({ name, config }: PluginEntry, version: VersionName): Promise<void> {
    await this.note(name, (history) => history.serves(name, version, config.swap.keep));
  }

  /** Remembers what became of a swap, and removes copies nothing needs any more. Never rejects. */
  async happened({ name, config }: PluginEntry, record: SwapRecord): Promise<void> {
    await this.note(name, (history) => history.happened(name, record, config.swap.keep));
    await this.prune();
  }

  /** Removes copies nothing needs any more. Never rejects. */
  async prune(): Promise<void> {
    try {
      const [store, history] = await Promise.all([this.options.store(), this.options.history()]);
      const kept = await history.kept();
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

  /** What a plugin is to run that starts here for the first time. */
  private async takeServing(name: string): Promise<StoredLibrary | null> {
    const digest = this.serving.get(name);
    this.serving.delete(name);
    return digest === undefined ? null : (await this.options.store()).find(digest);
  }

  private async note(plugin: string, write: (history: VersionHistory) => Promise<void>): Promise<void> {
    try {
      await write(await this.options.history());
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
