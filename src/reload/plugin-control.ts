import type { BackworksConfig } from '../config/types.js';
import { BackworksError } from '../errors.js';
import type { PluginRegistry } from '../lifecycle/registry/registry.js';
import type { PluginStatus } from '../lifecycle/entry/status.js';
import type { SurveyedPlugin } from '../lifecycle/dependencies/survey.js';

export interface PluginControlOptions {
  readonly registry: PluginRegistry;
  /** The running configuration. */
  readonly current: () => BackworksConfig;
  /** See SharedVersions. */
  readonly agree: (what: string) => Promise<void>;
}

export interface StopOptions {
  /** Stops the plugin even if endpoints name it. */
  readonly force?: boolean;
}

/**
 * Starts and stops plugins by name while the server runs. These changes are not written to the configuration
 * file: the next reload or restart applies the file again.
 */
export class PluginControl {
  constructor(private readonly options: PluginControlOptions) {}

  /**
   * Starts a known plugin that is not running, or a library from an auto-discovery directory.
   * @param which the name of the plugin or of its file; never a path
   * @returns the name of the plugin
   * @throws BackworksError BW_PLUGIN_UNKNOWN, BW_PLUGIN_STATE, or the reason the plugin does not start
   */
  load(which: string): Promise<string> {
    const { registry } = this.options;
    return registry.exclusively(async () => {
      const known = this.find(which);
      if (known !== null) {
        if (isRunning(known)) throw state(known, 'already');
        await this.start(known);
        return known.name;
      }
      const library = await this.search(which);
      await this.apply(library.entry.name, (plugins) => [...plugins, library], '');
      return library.entry.name;
    });
  }

  /**
   * Starts a plugin that is disabled or failed.
   * @throws BackworksError BW_PLUGIN_UNKNOWN, BW_PLUGIN_STATE, or the reason the plugin does not start
   */
  enable(name: string): Promise<void> {
    return this.options.registry.exclusively(async () => {
      const plugin = this.require(name);
      if (isRunning(plugin)) throw state(plugin, 'not disabled');
      await this.start(plugin);
    });
  }

  /**
   * Stops a plugin after the last request that can call it.
   * @param reason shown in the plugin's status
   * @throws BackworksError BW_PLUGIN_UNKNOWN, BW_PLUGIN_STATE, BW_PLUGIN_IN_USE
   */
  stop(name: string, reason: string, { force = false }: StopOptions = {}): Promise<void> {
    return this.options.registry.exclusively(async () => {
      const plugin = this.require(name);
      if (plugin.state === 'stopped') throw state(plugin, 'already');
      const dependents = this.options.registry.dependents(name);
      if (dependents.length > 0)
        throw inUse(name, `other plugins depend on it: ${dependents.join(', ')}`, 'stop those plugins first');
      const endpoints = this.endpointsOf(name);
      if (endpoints.length > 0 && !force) {
        const hint = 'these endpoints would fail; --force or ?force=true stops the plugin anyway';
        throw inUse(name, `it answers endpoints: ${endpoints.join(', ')}`, hint);
      }
      await this.setEnabled(name, false, reason);
    });
  }

  private async start({ name, state: current }: PluginStatus): Promise<void> {
    const { registry } = this.options;
    if (current === 'failed') return registry.startAgain(name);
    if (current === 'stopped') await this.setEnabled(name, true, '');
    // An explicit start also starts a lazy plugin, which would otherwise wait for its first use.
    await registry.start(name);
  }

  private setEnabled(name: string, enabled: boolean, reason: string): Promise<void> {
    return this.apply(
      name,
      (plugins) =>
        plugins.map((plugin) => {
          const { entry } = plugin;
          if (entry.name !== name) return plugin;
          return { ...plugin, entry: { ...entry, config: { ...entry.config, enabled } } };
        }),
      reason,
    );
  }

  /** @throws BackworksError the reason a plugin failed to start */
  private async apply(
    name: string,
    edit: (plugins: readonly SurveyedPlugin[]) => readonly SurveyedPlugin[],
    reason: string,
  ): Promise<void> {
    const { registry, agree } = this.options;
    const plan = registry.planEdit(edit, reason);
    const change = await registry.prepare(plan);
    try {
      await agree(name);
      registry.commit(change, plan);
    } catch (error) {
      await change.abort();
      throw error;
    }
    const [failed] = change.failed();
    if (failed !== undefined) throw failed.error;
  }

  private endpointsOf(name: string): string[] {
    return this.options
      .current()
      .endpoints.filter(({ target }) => target.kind === 'plugin' && target.plugin === name)
      .map((endpoint) => endpoint.name);
  }

  private find(name: string): PluginStatus | null {
    return this.options.registry.status().find((plugin) => plugin.name === name) ?? null;
  }

  private require(name: string): PluginStatus {
    const plugin = this.find(name);
    if (plugin === null) throw unknown(name);
    return plugin;
  }

  private async search(which: string): Promise<SurveyedPlugin> {
    const { enabled, directories } = this.options.current().autoDiscover;
    const library = enabled ? await this.options.registry.findLibrary(which, directories) : null;
    if (library === null) throw unknown(which);
    const { name } = library.entry;
    const other = this.find(name);
    if (other === null) return library;
    throw state(other, 'already');
  }
}

function isRunning({ state: current }: PluginStatus): boolean {
  return current !== 'failed' && current !== 'stopped' && current !== 'lazy';
}

function state(plugin: PluginStatus, how: 'already' | 'not disabled'): BackworksError {
  const message =
    how === 'already'
      ? `plugin ${plugin.name} is already ${plugin.state}`
      : `plugin ${plugin.name} is ${plugin.state}, not disabled`;
  return new BackworksError('BW_PLUGIN_STATE', message);
}

function inUse(name: string, why: string, hint: string): BackworksError {
  return new BackworksError('BW_PLUGIN_IN_USE', `plugin ${name} is in use: ${why}`, { hint });
}

function unknown(which: string): BackworksError {
  const hint = 'a plugin is loaded by its name or its file name from plugins.auto_discover.directories';
  return new BackworksError('BW_PLUGIN_UNKNOWN', `no plugin is named ${JSON.stringify(which)}`, { hint });
}
