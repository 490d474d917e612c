import type { BackworksConfig } from '../config/types.js';
import { FileWatch } from './file-watch.js';

export interface WatchEvents {
  /** The configuration file is another one, and complete. */
  configuration(): void;
  /** The library file of a plugin is another one, and complete. */
  library(plugin: string): void;
}

/** Watches the files a configuration wants watched. */
export class Watches {
  private readonly file: FileWatch | null;
  /** By plugin, with the file. */
  private readonly libraries = new Map<string, { readonly path: string; readonly watch: FileWatch }>();

  constructor(
    configFile: string | null,
    private readonly events: WatchEvents,
  ) {
    this.file = configFile === null ? null : new FileWatch(configFile, () => events.configuration());
  }

  /** Watches what this configuration wants from now on, and nothing else. */
  async follow({ plugins, server: { reload } }: BackworksConfig): Promise<void> {
    const wanted = new Map<string, string>();
    for (const { name, path, enabled, swap } of plugins) {
      if (enabled && swap.watch && path !== null) wanted.set(name, path);
    }
    for (const [name, { path, watch }] of this.libraries) {
      if (wanted.get(name) === path) continue;
      watch.stop();
      this.libraries.delete(name);
    }
    if (!reload.watch) this.file?.stop();
    const watches = [...wanted].map(([name, path]) => this.libraryWatch(name, path));
    if (reload.watch && this.file !== null) watches.push(this.file);
    await Promise.all(watches.map((watch) => watch.start(reload.intervalMs)));
  }

  stop(): void {
    this.file?.stop();
    for (const { watch } of this.libraries.values()) watch.stop();
    this.libraries.clear();
  }

  private libraryWatch(name: string, path: string): FileWatch {
    const known = this.libraries.get(name);
    if (known !== undefined) return known.watch;
    const watch = new FileWatch(path, () => this.events.library(name));
    this.libraries.set(name, { path, watch });
    return watch;
  }
}
