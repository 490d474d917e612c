import type { BackworksConfig } from '../config/types.js';
import { BackworksError, toBackworksError } from '../errors.js';
import type { PluginRegistry } from '../lifecycle/registry/registry.js';
import type { RegistryPlan } from '../lifecycle/registry/registry-plan.js';
import { type PreparedReload, prepareUnderLock, type ReloadPlan } from './prepared-reload.js';
import { waitingForRestart } from './report.js';
import { effectiveConfig, planSettings } from './settings.js';

export interface PreparationOptions {
  readonly registry: PluginRegistry;
  /** The running configuration. */
  readonly current: () => BackworksConfig;
  /**
   * Prepares everything except plugins.
   * @returns a function that applies the configuration to new requests; it is synchronous and returns a function
   *   that undoes it
   * @throws BackworksError when the configuration cannot work
   */
  readonly prepare: (next: BackworksConfig) => () => () => void;
}

/** The steps from the running configuration to the next one. */
interface Transition {
  readonly plan: ReloadPlan;
  readonly plugins: RegistryPlan;
  readonly applySettings: () => () => void;
}

/** Changes the configuration of one process: plan ▶ prepare ▶ commit or abort. */
export class ReloadPreparation {
  constructor(private readonly options: PreparationOptions) {}

  /** @throws BackworksError when the configuration cannot work */
  plan(next: BackworksConfig): Promise<ReloadPlan> {
    return this.options.registry.exclusively(async () => (await this.planTransition(next)).plan);
  }

  /**
   * Starts the new plugins beside those that serve. The registry stays locked until commit() or abort().
   * @throws BackworksError BW_RELOAD_REFUSED and others; nothing has changed then
   */
  prepare(next: BackworksConfig): Promise<PreparedReload> {
    const { registry } = this.options;
    return prepareUnderLock(
      () => registry.lock(),
      async () => {
        const { plan, plugins, applySettings } = await this.planTransition(next);
        const change = await registry.prepare(plugins).catch(refuse);
        return {
          plan,
          async commit() {
            registry.commit(change, plugins, applySettings);
            return change.failed();
          },
          abort: () => change.abort(),
        };
      },
    );
  }

  private async planTransition(next: BackworksConfig): Promise<Transition> {
    const { registry, current, prepare } = this.options;
    const settings = planSettings(current(), next);
    const config = effectiveConfig(current(), next);
    const applySettings = prepare(config);
    const plugins = await registry.plan(config);
    const { changes, reordered } = plugins;
    const needsRestart = waitingForRestart(plugins, settings);
    return { plan: { ...settings, plugins: changes, reordered, needsRestart }, plugins, applySettings };
  }
}

function refuse(thrown: unknown): never {
  const { message, hint } = toBackworksError(thrown);
  throw new BackworksError('BW_RELOAD_REFUSED', `nothing was changed: ${message}`, { hint, cause: thrown });
}
