import type { BackworksConfig } from '../config/types.js';
import { BackworksError, toBackworksError } from '../errors.js';
import type { PluginRegistry } from '../lifecycle/registry/registry.js';
import type { RegistryPlan } from '../lifecycle/registry/registry-plan.js';
import { type PreparedReload, prepareUnderLock, type ReloadPlan } from './prepared-reload.js';
import { waitingForRestart } from './report.js';
import { inForce, planSettings } from './settings.js';

export interface PreparationOptions {
  readonly registry: PluginRegistry;
  /** What is in force. */
  readonly current: () => BackworksConfig;
  /**
   * Makes ready what is not a plugin. What it gives puts the configuration in force for requests that
   * begin from then on, within the turn in which it is called, and throws nothing.
   * @throws BackworksError when the configuration cannot work
   */
  readonly prepare: (next: BackworksConfig) => () => void;
}

/** What there is to do to come from what is in force to something else. */
interface Way {
  readonly plan: ReloadPlan;
  readonly plugins: RegistryPlan;
  readonly putInForce: () => void;
}

/** Brings one process to another configuration: plan ▶ prepare ▶ commit or abort. */
export class ReloadPreparation {
  constructor(private readonly options: PreparationOptions) {}

  /** @throws BackworksError when the configuration cannot work */
  plan(next: BackworksConfig): Promise<ReloadPlan> {
    return this.options.registry.exclusively(async () => (await this.findWay(next)).plan);
  }

  /**
   * Brings up what is new beside what serves. Until the change is decided, nothing else changes which
   * plugins there are.
   * @throws BackworksError BW_RELOAD_REFUSED and others: nothing has changed then
   */
  prepare(next: BackworksConfig): Promise<PreparedReload> {
    const { registry } = this.options;
    return prepareUnderLock(
      () => registry.lock(),
      async () => {
        const { plan, plugins, putInForce } = await this.findWay(next);
        const change = await registry.prepare(plugins).catch(refuse);
        return {
          plan,
          async commit() {
            putInForce();
            registry.commit(change, plugins);
            return change.failed();
          },
          abort: () => change.abort(),
        };
      },
    );
  }

  private async findWay(next: BackworksConfig): Promise<Way> {
    const { registry, current, prepare } = this.options;
    const settings = planSettings(current(), next);
    const config = inForce(current(), next);
    const putInForce = prepare(config);
    const plugins = await registry.plan(config);
    const { changes, reordered } = plugins;
    const needsRestart = waitingForRestart(plugins, settings);
    return { plan: { ...settings, plugins: changes, reordered, needsRestart }, plugins, putInForce };
  }
}

function refuse(thrown: unknown): never {
  const { message, hint } = toBackworksError(thrown);
  throw new BackworksError('BW_RELOAD_REFUSED', `nothing was changed: ${message}`, { hint, cause: thrown });
}
