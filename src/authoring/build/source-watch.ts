import { type FSWatcher, watch } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Deferred } from '../../deferred.js';

/** Directories that build tools write to. */
const OUTPUTS: ReadonlySet<string> = new Set(['build', 'target', 'zig-out', 'zig-cache', 'node_modules']);
/** What compilers and build tools read. Other files, such as logs and libraries, are no reason to build. */
const SOURCE =
  /^[^.].*\.(?:c|h|cc|cpp|cxx|hh|hpp|hxx|inc|s|S|def|map|rs|toml|lock|go|mod|sum|zig|zon|cmake|mk|in|txt|json)$|^(?:GNUm|[Mm])akefile$/;
/** Editors write several files for one change. */
const SETTLE_MS = 150;
const DIRECTORIES_MAX = 1000;

/**
 * Watches the sources of a plugin. Directories are watched one by one, because a recursive watch would include the
 * outputs of the build, which are large and change with every build.
 */
export class SourceWatch {
  private readonly watchers = new Map<string, FSWatcher>();
  private change = new Deferred<void>();
  private closed = false;

  private constructor(private readonly root: string) {}

  static async open(directory: string): Promise<SourceWatch> {
    const opened = new SourceWatch(directory);
    await opened.follow(directory);
    return opened;
  }

  /** Resolves after the next change, or at once when there was one since the last call. */
  async changed(): Promise<void> {
    await this.change;
    await pause(SETTLE_MS);
    this.change = new Deferred<void>();
    // A change may have brought a new directory.
    await this.follow(this.root);
  }

  close(): void {
    this.closed = true;
    for (const watcher of this.watchers.values()) watcher.close();
    this.watchers.clear();
  }

  private async follow(directory: string): Promise<void> {
    if (this.closed || this.watchers.size >= DIRECTORIES_MAX) return;
    if (!this.watchers.has(directory)) this.watch(directory);
    const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
    const inside = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !OUTPUTS.has(entry.name));
    await Promise.all(inside.map(({ name }) => this.follow(join(directory, name))));
  }

  private watch(directory: string): void {
    try {
      const watcher = watch(directory, (_event, name) => {
        if (name === null || SOURCE.test(name)) this.change.resolve();
      });
      const forget = (): void => {
        watcher.close();
        this.watchers.delete(directory);
      };
      watcher.on('error', forget);
      this.watchers.set(directory, watcher);
    } catch {
      // The directory is gone, or the system has no watches left; changes in it are not seen.
    }
  }
}
