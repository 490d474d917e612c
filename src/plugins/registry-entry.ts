import type { BackworksError } from '../errors.js';
import type { LoadedPlugin } from './loaded-plugin.js';
import type { PluginMetadata } from './metadata.js';
import { type PluginEntry, resolvePolicy } from './plugin-entry.js';
import type { PluginState, PluginStatus } from './status.js';

/** What can be wrong with a plugin that serves. */
export type Condition = 'process' | 'circuit' | 'health';

/** One plugin's place in the registry: its plan, its state and, while it runs, the plugin. */
export class RegistryEntry {
  state: PluginState;
  plugin: LoadedPlugin | null = null;
  error: BackworksError | null = null;
  private reason: string | null;
  private since = new Date();
  private readonly conditions = new Map<Condition, string>();

  constructor(
    readonly plan: PluginEntry,
    public metadata: PluginMetadata | null,
  ) {
    const { enabled } = plan.config;
    this.state = enabled ? 'discovered' : 'stopped';
    this.reason = enabled ? null : 'disabled in the configuration';
  }

  get critical(): boolean {
    return resolvePolicy(this.plan.config, this.metadata).critical;
  }

  loading(): void {
    this.enter('loading', null);
  }

  ready(plugin: LoadedPlugin): void {
    this.plugin = plugin;
    this.metadata = plugin.metadata;
    this.settle();
  }

  fail(error: BackworksError): void {
    this.error = error;
    this.enter('failed', error.hint === undefined ? error.message : `${error.message} — ${error.hint}`);
  }

  /** Notes that something is wrong (a reason) or well again (null). */
  condition(condition: Condition, reason: string | null): void {
    if (reason === null) this.conditions.delete(condition);
    else this.conditions.set(condition, reason);
    if (this.state === 'ready' || this.state === 'degraded') this.settle();
  }

  async close(): Promise<void> {
    if (this.plugin === null) return;
    const { plugin } = this;
    this.plugin = null;
    await plugin.close();
    this.enter('stopped', 'shut down');
  }

  status(): PluginStatus {
    const { name, origin, config } = this.plan;
    const { critical, priority } = resolvePolicy(config, this.metadata);
    return {
      name,
      state: this.state,
      reason: this.reason,
      since: this.since,
      origin,
      type: config.type,
      path: config.path,
      version: this.metadata?.version ?? null,
      description: this.metadata?.description ?? null,
      hooks: this.metadata ? [...this.metadata.hooks] : [],
      isolation: config.isolation,
      critical,
      priority,
      circuit: this.plugin?.circuit ?? 'closed',
      calls: this.plugin?.calls ?? {},
      processes: this.plugin?.processes() ?? [],
    };
  }

  private settle(): void {
    const reasons = [...this.conditions.values()];
    if (reasons.length === 0) this.enter('ready', null);
    else this.enter('degraded', reasons.join('; '));
  }

  private enter(state: PluginState, reason: string | null): void {
    if (state !== this.state) this.since = new Date();
    this.state = state;
    this.reason = reason;
  }
}
