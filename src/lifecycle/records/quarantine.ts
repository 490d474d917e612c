import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PluginFailure } from '../../errors.js';
import { openCacheDirectory } from '../../native/cache-directory.js';

/** A library that is not started, under any plugin name. */
export interface QuarantinedLibrary {
  /** SHA-256 of its bytes, in hexadecimal. */
  readonly digest: string;
  /** Name of the plugin whose process failed. */
  readonly plugin: string;
  readonly reason: string;
  readonly since: string;
}

const DIGEST = /^[0-9a-f]{64}$/;

/**
 * Libraries that failed too often. They are identified by content, so a rebuilt library is not in quarantine.
 * Each library has its own file, so that several servers can share the directory.
 */
export class Quarantine {
  private constructor(private readonly directory: string) {}

  /** @param cache default: see openCacheDirectory */
  static async open(cache?: string): Promise<Quarantine> {
    const directory = join(await openCacheDirectory(cache), 'quarantine');
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return new Quarantine(directory);
  }

  /** @throws PluginFailure BW_PLUGIN_QUARANTINED if the library is in quarantine */
  async check(digest: string, plugin: string): Promise<void> {
    const entry = await this.find(digest);
    if (entry !== null) throw inQuarantine(entry, plugin);
  }

  async add(entry: QuarantinedLibrary): Promise<void> {
    const draft = join(this.directory, `.${randomUUID()}`);
    await writeFile(draft, JSON.stringify(entry), { mode: 0o600 });
    await rename(draft, this.pathOf(entry.digest));
  }

  async list(): Promise<QuarantinedLibrary[]> {
    const names = await readdir(this.directory);
    const digests = names.map((name) => name.replace(/\.json$/, '')).filter((name) => DIGEST.test(name));
    const entries = await Promise.all(digests.map((digest) => this.find(digest)));
    return entries.filter((entry) => entry !== null);
  }

  /**
   * Lifts the quarantine of libraries.
   * @param which a plugin's name, or the first digits of a digest (eight or more)
   * @returns the released libraries
   */
  async release(which: string): Promise<QuarantinedLibrary[]> {
    const isDigest = /^[0-9a-f]{8,64}$/.test(which);
    const matching = (await this.list()).filter(
      ({ digest, plugin }) => plugin === which || (isDigest && digest.startsWith(which)),
    );
    await Promise.all(matching.map(({ digest }) => rm(this.pathOf(digest), { force: true })));
    return matching;
  }

  private async find(digest: string): Promise<QuarantinedLibrary | null> {
    try {
      const entry = JSON.parse(await readFile(this.pathOf(digest), 'utf8')) as Partial<QuarantinedLibrary>;
      const { plugin = 'unknown', reason = 'unknown', since = 'unknown' } = entry;
      return { digest, plugin, reason, since };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      // An unreadable record still means that the library was quarantined.
      return { digest, plugin: 'unknown', reason: 'its record cannot be read', since: 'unknown' };
    }
  }

  private pathOf(digest: string): string {
    return join(this.directory, `${digest}.json`);
  }
}

/** The error of a plugin whose library is in quarantine. */
export function inQuarantine({ digest, reason, since }: QuarantinedLibrary, plugin: string): PluginFailure {
  const message = `plugin ${plugin} is in quarantine since ${since}: ${reason}`;
  return new PluginFailure('BW_PLUGIN_QUARANTINED', message, {
    plugin,
    phase: 'load',
    hint: `lift it with: backworks plugin release ${digest.slice(0, 12)}`,
  });
}
