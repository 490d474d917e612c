import type { BackworksPlugin, CanaryPlugin } from '../plugins/plugin.js';
import { PluginSet, type RequestSettings } from './plugin-set.js';

interface Share {
  readonly canary: CanaryPlugin;
  /** Percent of a request that the canary is owed. */
  owed: number;
}

/**
 * The plugins for requests of one time. While versions are tried out there are several sets, one for each
 * combination that was needed: a request has one version of a plugin from its beginning to its end. The
 * shares are spread evenly over the requests, not by chance.
 */
export class TrafficSplit {
  private readonly settings: RequestSettings;
  private readonly plugins: readonly BackworksPlugin[];
  private readonly shares: readonly Share[];
  /** By which of the canaries are in it. */
  private readonly sets = new Map<string, PluginSet>();
  private readonly usual: PluginSet;

  constructor(
    plugins: readonly BackworksPlugin[],
    canaries: readonly CanaryPlugin[],
    settings: RequestSettings,
  ) {
    this.settings = settings;
    this.plugins = plugins;
    this.shares = canaries.map((canary) => ({ canary, owed: 0 }));
    this.usual = new PluginSet(plugins, settings);
    this.sets.set('-'.repeat(canaries.length), this.usual);
  }

  /** The plugins of the next request. */
  next(): PluginSet {
    return this.shares.length === 0 ? this.usual : this.set(this.draw());
  }

  /** Resolves when no request has any of these plugins; to be asked when no other will begin with them. */
  async idle(): Promise<void> {
    await Promise.all([...this.sets.values()].map((set) => set.idle()));
  }

  /** A character for each canary: "x" for one that has this request. */
  private draw(): string {
    let chosen = '';
    for (const share of this.shares) {
      share.owed += share.canary.percent;
      const isOwed = share.owed >= 100;
      if (isOwed) share.owed -= 100;
      chosen += isOwed ? 'x' : '-';
    }
    return chosen;
  }

  private set(chosen: string): PluginSet {
    const known = this.sets.get(chosen);
    if (known !== undefined) return known;
    const canaries = this.shares.filter((_, index) => chosen[index] === 'x');
    const byName = new Map(canaries.map(({ canary: { plugin } }) => [plugin.name, plugin]));
    const plugins = this.plugins.map((plugin) => byName.get(plugin.name) ?? plugin);
    const set = new PluginSet(plugins, this.settings);
    this.sets.set(chosen, set);
    return set;
  }
}
