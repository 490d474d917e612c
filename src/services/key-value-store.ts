import type { Log } from '../log.js';
import { addGauge, type MetricsRegistry } from '../metrics/instruments.js';
import { KvStatus } from '../native/plugin.js';
import { KeyValueSpace } from './key-value-space.js';

/** A full space is reported again after it was at most this full. */
const REPORT_AGAIN_BELOW = 0.5;

export interface KeyValueStoreOptions {
  readonly log: Log;
  readonly metrics: MetricsRegistry;
  /** limits.kv of a plugin at this moment. */
  readonly bytesMax: (plugin: string) => number;
}

/** A space, and whether the log already says that it is full. */
interface Kept {
  readonly space: KeyValueSpace;
  isReported: boolean;
}

/**
 * The key-value spaces of all plugins of this server process, in memory. A space belongs to a name: all processes
 * and versions of a plugin share it. It lasts until the plugin leaves the configuration or the server ends.
 */
export class KeyValueStore {
  private readonly spaces = new Map<string, Kept>();

  constructor(private readonly options: KeyValueStoreOptions) {
    const gauge = (name: string, help: string, value: (space: KeyValueSpace) => number): void =>
      addGauge(options.metrics, { name, help, labels: ['plugin'] }, (set) => {
        for (const [plugin, { space }] of this.spaces) set({ plugin }, value(space));
      });
    gauge('backworks_plugin_kv_bytes', 'Bytes in the key-value space of a plugin.', ({ bytes }) => bytes);
    gauge('backworks_plugin_kv_keys', 'Keys in the key-value space of a plugin.', ({ size }) => size);
  }

  /** The space of a plugin; a new one when the plugin has none. */
  of(plugin: string): KeyValueSpace {
    const known = this.spaces.get(plugin);
    if (known !== undefined) return known.space;
    const bytesMax = (): number => this.options.bytesMax(plugin);
    const kept: Kept = {
      space: new KeyValueSpace(bytesMax, (status) => this.report(plugin, kept, status)),
      isReported: false,
    };
    this.spaces.set(plugin, kept);
    return kept.space;
  }

  /** Drops the spaces of other plugins. A dropped plugin that still runs keeps its space until it ends. */
  keepOnly(plugins: { has(name: string): boolean }): void {
    for (const name of this.spaces.keys()) if (!plugins.has(name)) this.spaces.delete(name);
  }

  private report(plugin: string, kept: Kept, status: KvStatus): void {
    const bytesMax = this.options.bytesMax(plugin);
    if (status === KvStatus.STORED) {
      if (kept.space.bytes <= bytesMax * REPORT_AGAIN_BELOW) kept.isReported = false;
    } else if (status === KvStatus.FULL && !kept.isReported) {
      kept.isReported = true;
      const { size, bytes } = kept.space;
      this.options.log.warn(
        { plugin, keys: size, bytes },
        `the key-value space of plugin ${plugin} is full (${size} keys, ${bytes} of ${bytesMax} bytes); kv_set() fails until the plugin removes keys, values expire, or limits.kv is raised`,
      );
    }
  }
}
