import type { BackworksConfig } from '../config/types.js';
import { BackworksError } from '../errors.js';
import type { PluginRegistry } from '../lifecycle/registry/registry.js';
import type { PluginStatus } from '../lifecycle/entry/status.js';
import type { SurveyedPlugin } from '../lifecycle/dependencies/survey.js';

export interface PluginControlOptions {
  readonly registry: PluginRegistry;
  /** What is in force. */
  readonly current: () => BackworksConfig;
  /** See SharedVersions. */
  readonly agree: (what: string) => Promise<void>;
}

/** To stop a plugin although endpoints name it. */
export interface StopOptions {
  readonly force?: boolean;
}

/**
 * Starts and stops plugins by name while the server runs. What is done here is not in the file: the next
 * reload or start puts in force what is.
 */
export class PluginControl {
  constructor(private readonly options: PluginControlOptions) {}

  /**
   * Starts a plugin that is known and does not run, or a library in one of the directories that are searched.
   * @param which name of the plugin, or of its file; never a path
   * @returns name of the plugin
   * @throws BackworksError BW_PLUGIN_UNKNOWN, BW_PLUGIN_STATE, or why it does not start
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
   * Starts a plugin that is disabled, or was and did not start.
   * @throws BackworksError BW_PLUGIN_UNKNOWN, BW_PLUGIN_STATE, or why it does not start
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
   * @param reason as its state tells it
   * @throws BackworksError BW_PLUGIN_UNKNOWN, BW_PLUGIN_STATE, BW_PLUGIN_IN_USE
   */
  stop(name: string, reason: string, { force = false }: StopOptions = {}): Promise<void> {
    return this.options.registry.exclusively(async () => {
      const plugin = this.require(name);
      if (plugin.state === 'stopped') throw state(plugin, 'already');
      const dependents = this.options.registry.dependents(name);
      if (dependents.length > 0)
        throw inUse(name, `plugins need it: ${dependents.join(', ')}`, 'stop those first');
      const endpoints = this.endpointsOf(name);
      if (endpoints.length > 0 && !force) {
        const hint = 'they would fail; --force, or ?force=true, stops it all the same';
        throw inUse(name, `endpoints are answered by it: ${endpoints.join(', ')}`, hint);
      }
      await this.setEnabled(name, false, reason);
    });
  }

  private async start({ name, state: current }: PluginStatus): Promise<void> {
    const { registry } = this.options;
    if (current === 'failed') return registry.startAgain(name);
    if (current === 'stopped') await this.setEnabled(name, true, '');
    // Who asks for a lazy plugin by name does not wait for its first use.
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

  /** @throws BackworksError why a plugin did not come up */
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
      ? `plugin ${plugin.name} is ${plugin.state} already`
      : `plugin ${plugin.name} is ${plugin.state}, not disabled`;
  return new BackworksError('BW_PLUGIN_STATE', message);
}

function inUse(name: string, why: string, hint: string): BackworksError {
  return new BackworksError('BW_PLUGIN_IN_USE', `plugin ${name} is in use: ${why}`, { hint });
}

function unknown(which: string): BackworksError {
  const hint = 'a plugin is loaded by its name or its file name, from plugins.auto_discover.directories';
  return new BackworksError('BW_PLUGIN_UNKNOWN', `no plugin is named ${JSON.stringify(which)}`, { hint });
}
