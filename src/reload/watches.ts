import type { BackworksConfig } from '../config/types.js';
import { FileWatch } from './file-watch.js';

export interface WatchEvents {
  /** The configuration file has changed and is completely written. */
  configuration(): void;
  /** The library file of a plugin has changed and is completely written. */
  library(plugin: string): void;
}

/** Watches the configuration file and the libraries with `swap.watch`. */
export class Watches {
  private readonly file: FileWatch | null;
  /** Plugin name → library file and its watch. */
  private readonly libraries = new Map<string, { readonly path: string; readonly watch: FileWatch }>();

  constructor(
    configFile: string | null,
    private readonly events: WatchEvents,
  ) {
    this.file = configFile === null ? null : new FileWatch(configFile, () => events.configuration());
  }

  /** Starts and stops watches so that they match this configuration. */
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
