import type { BackworksPlugin, CanaryPlugin } from '../plugins/plugin.js';
import { PluginSet, type RequestSettings } from './plugin-set.js';

interface Share {
  readonly canary: CanaryPlugin;
  /** The canary's accumulated share, in percent of a request; at 100 the canary gets the next request. */
  owed: number;
}

/**
 * The plugins for new requests. During canaries there are several sets, one for each combination that was
 * needed, so that a request has the same version of a plugin from beginning to end. Shares are spread evenly
 * over the requests, not randomly.
 */
export class TrafficSplit {
  private readonly settings: RequestSettings;
  private readonly plugins: readonly BackworksPlugin[];
  private readonly shares: readonly Share[];
  /** Sets by the canaries that they contain. */
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

  /** Resolves when no request has any of these plugins. Call it when no further request will begin with them. */
  async idle(): Promise<void> {
    await Promise.all([...this.sets.values()].map((set) => set.idle()));
  }

  /** Returns a character for each canary: "x" when the canary serves this request. */
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
