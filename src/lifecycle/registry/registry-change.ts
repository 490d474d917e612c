import { type BackworksError, toBackworksError } from '../../errors.js';
import type { Resolution } from '../dependencies/dependency-resolver.js';
import { loadInOrder } from '../dependencies/load-order.js';
import type { LazyLoading } from '../lazy/lazy-loading.js';
import type { CheckedLibrary } from '../lazy/lazy-start.js';
import type { LoadedPlugin } from '../../plugins/loaded-plugin.js';
import type { PluginMetadata } from '../../plugins/metadata.js';
import { type PluginEntry, resolvePolicy } from '../../plugins/plugin-entry.js';
import type { EntryChange } from '../entry/entry-change.js';
import type { RegistryEntry } from '../entry/registry-entry.js';
import type { PluginChange } from './reload.js';
import type { PluginSupervisor } from '../supervision/supervisor.js';
import type { SurveyedPlugin } from '../dependencies/survey.js';

/** A plugin whose change failed. */
export interface FailedChange {
  readonly name: string;
  readonly error: BackworksError;
  /** True if the previous version keeps serving. */
  readonly previousServes: boolean;
}

export interface RegistryChangeOptions {
  readonly entries: ReadonlyMap<string, RegistryEntry>;
  /** Creates the entry of a new plugin. */
  readonly create: (plugin: SurveyedPlugin) => RegistryEntry;
  readonly targets: readonly SurveyedPlugin[];
  /** The dependencies among the targets. */
  readonly resolution: Resolution;
  readonly changes: readonly PluginChange[];
  /** The reason shown in the status of plugins that are stopped. */
  readonly stopReason: string;
  /** Called when the set of serving plugins has changed; see PluginSupervisorOptions. */
  readonly onChange: () => Promise<void>;
}

/** The change of one plugin. */
interface Step {
  readonly change: PluginChange;
  /** The plugin's entry; a new one for a new plugin. */
  readonly entry: RegistryEntry;
  /** The plugin's new plan; null for a plugin that is removed. */
  readonly target: PluginEntry | null;
  /** The metadata of the library; null if it has not been read. */
  readonly known: PluginMetadata | null;
  /** The new plugin, started and not yet serving. */
  prepared: LoadedPlugin | null;
  /** The checked library of a plugin that starts on first use. */
  checked: CheckedLibrary | null;
  error: BackworksError | null;
}

/**
 * Changes plugins from one configuration to another in two steps. prepare() starts the new plugins beside those
 * that serve. commit() then switches all plugins at once. The caller calls exactly one of commit() and abort()
 * after prepare().
 */
export class RegistryChange {
  private readonly steps: readonly Step[];
  private readonly resolution: Resolution;
  private readonly stopReason: string;
  private readonly onChange: () => Promise<void>;
  /** Plugins that accepted the new configuration through reconfigure(), with their former plans. */
  private readonly reconfigured: { entry: RegistryEntry; former: PluginEntry }[] = [];

  constructor(
    private readonly supervisor: PluginSupervisor,
    private readonly lazy: LazyLoading,
    { entries, create, targets, resolution, changes, stopReason, onChange }: RegistryChangeOptions,
  ) {
    this.resolution = resolution;
    this.stopReason = stopReason;
    this.onChange = onChange;
    const wanted = new Map(targets.map((target) => [target.entry.name, target]));
    this.steps = changes.map((change) => {
      const target = wanted.get(change.name);
      const entry = entries.get(change.name) ?? (target && create(target));
      if (entry === undefined) throw new TypeError('change of an unknown plugin');
      return {
        change,
        entry,
        target: target?.entry ?? null,
        known: target?.metadata ?? null,
        prepared: null,
        checked: null,
        error: null,
      };
    });
  }

  /**
   * Starts the new plugins while the current ones serve. Plugins with reconfigure() get their new configuration
   * here, after everything else that can fail.
   * @throws BackworksError the error of the first critical plugin that does not start; nothing has changed then
   */
  async prepare(): Promise<void> {
    try {
      await this.prepareAll();
    } catch (thrown) {
      await this.abort();
      throw thrown;
    }
  }

  private async prepareAll(): Promise<void> {
    const steps = new Map(this.steps.map((step) => [step.change.name, step]));
    await loadInOrder(this.resolution, async (name, refusal) => {
      const step = steps.get(name);
      if (step === undefined) throw new TypeError('a plugin in the load order has no change');
      const { action } = step.change;
      if (refusal !== null) step.error = refusal;
      else if (action === 'load' || action === 'swap') await this.startStep(step);
      else if (action === 'postpone') await this.check(step);
      if (step.checked !== null) return null;
      // A plugin whose change fails keeps serving as before, and so do the plugins that depend on it.
      return step.entry.plugin === null && step.prepared === null ? (step.error ?? step.entry.error) : null;
    });
    this.throwIfCritical();
    for (const step of this.steps.filter(({ change }) => change.action === 'reconfigure')) {
      await this.reconfigure(step);
      this.throwIfCritical();
    }
  }

  /**
   * Switches all plugins within one turn of the event loop. A plugin whose switch fails keeps its former version
   * and is listed in failed(); the others are still switched.
   * @param keep called with every entry of the new configuration, in order
   * @param switched called after the entries have changed; its promise resolves when no request uses the former
   *   plugins any more
   * @throws the error of `switched`; every entry is as before then, and the caller calls abort()
   */
  commit(keep: (entry: RegistryEntry) => void, switched: () => Promise<void>): void {
    const switches = this.steps.map((step) => ({ step, change: step.entry.beginChange() }));
    const former: { entry: RegistryEntry; plugin: LoadedPlugin }[] = [];
    let ended: Promise<void>;
    try {
      for (const { step, change } of switches) {
        if (step.target !== null) keep(step.entry);
        const plugin = this.switchOrFail(step, change);
        if (plugin !== null) former.push({ entry: step.entry, plugin });
      }
      ended = switched();
    } catch (thrown) {
      for (const { change } of switches) change.undo();
      throw thrown;
    }
    // From here on abort() must not undo a reconfiguration.
    this.reconfigured.length = 0;
    for (const { entry, plugin } of former) this.supervisor.retire(entry, plugin, ended);
    for (const { step, change } of switches) {
      try {
        change.keep();
      } catch (thrown) {
        step.error ??= toBackworksError(thrown);
      }
    }
  }

  /** Closes the prepared plugins and restores the former configuration of reconfigured ones. Never rejects. */
  async abort(): Promise<void> {
    const prepared = this.steps.flatMap(({ entry, prepared }) =>
      prepared === entry.plugin ? [] : (prepared ?? []),
    );
    for (const step of this.steps) step.prepared = null;
    for (const { entry, former } of this.reconfigured.splice(0)) {
      await entry.plugin?.reconfigure(former.config).catch(() => this.restartWithFormer(entry));
    }
    await Promise.all(prepared.map((plugin) => plugin.close()));
  }

  failed(): FailedChange[] {
    return this.steps.flatMap(({ change: { name }, entry, prepared, error }) =>
      error === null
        ? []
        : [{ name, error, previousServes: entry.plugin !== null && entry.plugin !== prepared }],
    );
  }

  /** Starts new processes with the former configuration, for a plugin that refused to return to it. */
  private async restartWithFormer(entry: RegistryEntry): Promise<void> {
    const { supervisor } = this;
    const { plan } = entry;
    try {
      const former = supervisor.replace(entry, plan, await supervisor.prepare(entry, plan));
      const ended = this.onChange();
      if (former !== null) supervisor.retire(entry, former, ended);
    } catch (error) {
      const why = toBackworksError(error).message;
      supervisor.log.error(
        { plugin: plan.name },
        `plugin ${plan.name} still runs with the configuration of the aborted reload: ${why}`,
      );
    }
  }

  private async startStep(step: Step): Promise<void> {
    try {
      if (step.target !== null) step.prepared = await this.supervisor.prepare(step.entry, step.target);
    } catch (error) {
      step.error = toBackworksError(error);
    }
  }

  private async check(step: Step): Promise<void> {
    try {
      if (step.target !== null) step.checked = await this.lazy.check(step.target, step.known);
    } catch (error) {
      step.error = toBackworksError(error);
    }
  }

  /** Calls reconfigure(). A plugin that refuses gets new processes. */
  private async reconfigure(step: Step): Promise<void> {
    const { entry, target } = step;
    const { plugin, plan } = entry;
    if (plugin === null || target === null) return;
    try {
      await plugin.reconfigure(target.config);
      this.reconfigured.push({ entry, former: plan });
    } catch (error) {
      // A library in the server's process cannot be loaded a second time.
      if (target.config.isolation === 'in-process') step.error = toBackworksError(error);
      else await this.startStep(step);
    }
  }

  /** @throws BackworksError the error of the first critical plugin that does not start */
  private throwIfCritical(): void {
    const failed = this.steps.find(
      ({ error, target, entry }) =>
        error !== null && target !== null && resolvePolicy(target.config, entry.metadata).critical,
    );
    if (failed?.error) throw failed.error;
  }

  /** Switches one plugin. An exception becomes the error of the step. @returns the plugin to retire, or null */
  private switchOrFail(step: Step, change: EntryChange): LoadedPlugin | null {
    try {
      return this.switch(step);
    } catch (thrown) {
      change.undo();
      step.error ??= toBackworksError(thrown);
      void step.prepared?.close();
      step.prepared = null;
      return null;
    }
  }

  /** @returns the plugin to retire, or null */
  private switch({ change: { action }, entry, target, prepared, checked, error }: Step): LoadedPlugin | null {
    if (target === null) return this.supervisor.remove(entry, 'removed from the configuration');
    if (prepared !== null) return this.supervisor.install(entry, target, prepared);
    if (checked !== null) return this.lazy.postpone(entry, target, checked);
    if (error !== null) {
      // The plugin that serves is unaffected.
      if (entry.plugin !== null) return null;
      entry.adoptPlan(target);
      this.supervisor.fail(entry, error);
      return null;
    }
    if (action === 'needs_restart') return null;
    if (action === 'keep') entry.adoptPlan(target);
    else this.supervisor.adjust(entry, target);
    // A failed critical plugin has no processes, but its stand-in still refuses requests.
    const isGivenUp = entry.state === 'failed' && !target.config.enabled;
    return action === 'unload' || isGivenUp ? this.supervisor.remove(entry, this.stopReason) : null;
  }
}
