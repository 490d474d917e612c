import { type BackworksError, toBackworksError } from '../../errors.js';
import type { Resolution } from '../dependencies/dependency-resolver.js';
import { loadInOrder } from '../dependencies/load-order.js';
import type { LazyLoading } from '../lazy/lazy-loading.js';
import type { CheckedLibrary } from '../lazy/lazy-start.js';
import type { LoadedPlugin } from '../../plugins/loaded-plugin.js';
import type { PluginMetadata } from '../../plugins/metadata.js';
import { type PluginEntry, resolvePolicy } from '../../plugins/plugin-entry.js';
import type { RegistryEntry } from '../entry/registry-entry.js';
import type { PluginChange } from './reload.js';
import type { PluginSupervisor } from '../supervision/supervisor.js';
import type { SurveyedPlugin } from '../dependencies/survey.js';

/** A plugin whose change did not succeed. */
export interface FailedChange {
  readonly name: string;
  readonly error: BackworksError;
  /** What served before goes on as before. */
  readonly keptFormer: boolean;
}

export interface RegistryChangeOptions {
  readonly entries: ReadonlyMap<string, RegistryEntry>;
  /** Makes the entry of a plugin that was not known. */
  readonly create: (plugin: SurveyedPlugin) => RegistryEntry;
  readonly targets: readonly SurveyedPlugin[];
  /** Who needs whom among the targets. */
  readonly resolution: Resolution;
  readonly changes: readonly PluginChange[];
  /** Why a plugin that is to stop stops. */
  readonly stopReason: string;
  /** The set of plugins that serve is another one; see PluginSupervisorOptions. */
  readonly onChange: () => Promise<void>;
}

/** One plugin on its way from what it is to what it is to be. */
interface Step {
  readonly change: PluginChange;
  /** New for a plugin that was not known. */
  readonly entry: RegistryEntry;
  /** Null for a plugin that goes. */
  readonly target: PluginEntry | null;
  /** What its library says of itself, as far as it was asked. */
  readonly known: PluginMetadata | null;
  /** Brought up and waiting for its turn. */
  prepared: LoadedPlugin | null;
  /** Checked, for one that starts with its first use. */
  checked: CheckedLibrary | null;
  error: BackworksError | null;
}

/**
 * Brings plugins from one configuration to another in two steps: what is new is brought up beside what
 * serves, then everything is switched in one go. Exactly one of commit() and abort() follows prepare().
 */
export class RegistryChange {
  private readonly steps: readonly Step[];
  private readonly resolution: Resolution;
  private readonly stopReason: string;
  private readonly onChange: () => Promise<void>;
  /** Plugins that were told another configuration, with the one they had. */
  private readonly told: { entry: RegistryEntry; former: PluginEntry }[] = [];

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
      if (entry === undefined) throw new TypeError('a change of a plugin nobody knows');
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
   * Brings up what is to be new. What serves goes on; only plugins with reconfigure() are told their new
   * configuration here, last, when nothing else can fail any more.
   * @throws BackworksError of the first critical plugin that does not come up: nothing has changed then
   */
  async prepare(): Promise<void> {
    try {
      await this.bringAllUp();
    } catch (thrown) {
      await this.abort();
      throw thrown;
    }
  }

  private async bringAllUp(): Promise<void> {
    const steps = new Map(this.steps.map((step) => [step.change.name, step]));
    await loadInOrder(this.resolution, async (name, refusal) => {
      const step = steps.get(name);
      if (step === undefined) throw new TypeError('a plugin to be loaded that nothing is done about');
      const { action } = step.change;
      if (refusal !== null) step.error = refusal;
      else if (action === 'load' || action === 'swap') await this.bringUp(step);
      else if (action === 'postpone') await this.check(step);
      if (step.checked !== null) return null;
      // One whose change fails goes on as it was, and so do those that need it.
      return step.entry.plugin === null && step.prepared === null ? (step.error ?? step.entry.error) : null;
    });
    this.throwIfCritical();
    for (const step of this.steps.filter(({ change }) => change.action === 'reconfigure')) {
      await this.reconfigure(step);
      this.throwIfCritical();
    }
  }

  /**
   * Switches, within one turn of the event loop. A plugin whose switch fails is one of failed(); the others
   * are switched.
   * @param keep is given every entry that is to be known, in order
   * @param switched to be called when the entries are as they should be; its promise resolves when no
   *   request has the former plugins any more
   */
  commit(keep: (entry: RegistryEntry) => void, switched: () => Promise<void>): void {
    // From here on abort() has nothing to take back.
    this.told.length = 0;
    const former: { entry: RegistryEntry; plugin: LoadedPlugin }[] = [];
    for (const step of this.steps) {
      if (step.target !== null) keep(step.entry);
      const plugin = this.switchOrFail(step);
      if (plugin !== null) former.push({ entry: step.entry, plugin });
    }
    const ended = switched();
    for (const { entry, plugin } of former) this.supervisor.retire(entry, plugin, ended);
  }

  /** Ends what was brought up and takes back what plugins were told. Never rejects. */
  async abort(): Promise<void> {
    const prepared = this.steps.flatMap(({ entry, prepared }) =>
      prepared === entry.plugin ? [] : (prepared ?? []),
    );
    for (const step of this.steps) step.prepared = null;
    for (const { entry, former } of this.told.splice(0)) {
      await entry.plugin?.reconfigure(former.config).catch(() => this.renew(entry));
    }
    await Promise.all(prepared.map((plugin) => plugin.close()));
  }

  failed(): FailedChange[] {
    return this.steps.flatMap(({ change: { name }, entry, prepared, error }) =>
      error === null ? [] : [{ name, error, keptFormer: entry.plugin !== null && entry.plugin !== prepared }],
    );
  }

  /** New processes for a plugin that does not go back: those are initialized with what it had. */
  private async renew(entry: RegistryEntry): Promise<void> {
    const { supervisor } = this;
    const { plan } = entry;
    try {
      const former = supervisor.put(entry, plan, await supervisor.prepare(entry, plan));
      const ended = this.onChange();
      if (former !== null) supervisor.retire(entry, former, ended);
    } catch (error) {
      const why = toBackworksError(error).message;
      supervisor.log.error(
        { plugin: plan.name },
        `plugin ${plan.name} keeps a configuration that was taken back: ${why}`,
      );
    }
  }

  private async bringUp(step: Step): Promise<void> {
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

  /** A plugin that does not take it gets new processes. */
  private async reconfigure(step: Step): Promise<void> {
    const { entry, target } = step;
    const { plugin, plan } = entry;
    if (plugin === null || target === null) return;
    try {
      await plugin.reconfigure(target.config);
      this.told.push({ entry, former: plan });
    } catch (error) {
      // What is loaded in the server itself cannot be loaded beside it once more.
      if (target.config.isolation === 'in-process') step.error = toBackworksError(error);
      else await this.bringUp(step);
    }
  }

  /** @throws BackworksError of the first critical plugin that does not come up */
  private throwIfCritical(): void {
    const failed = this.steps.find(
      ({ error, target, entry }) =>
        error !== null && target !== null && resolvePolicy(target.config, entry.metadata).critical,
    );
    if (failed?.error) throw failed.error;
  }

  /** Switches one plugin. An exception becomes the error of the step. @returns what served and does so no more */
  private switchOrFail(step: Step): LoadedPlugin | null {
    const { entry, prepared } = step;
    const former = entry.plugin;
    try {
      return this.switch(step);
    } catch (thrown) {
      step.error ??= toBackworksError(thrown);
      if (prepared !== null && entry.plugin !== prepared) {
        step.prepared = null;
        void prepared.close();
      }
      return entry.plugin === former || entry.trial?.other === former ? null : former;
    }
  }

  /** @returns what served and does so no more */
  private switch({ change: { action }, entry, target, prepared, checked, error }: Step): LoadedPlugin | null {
    if (target === null) return this.supervisor.remove(entry, 'removed from the configuration');
    if (prepared !== null) return this.supervisor.install(entry, target, prepared);
    if (checked !== null) return this.lazy.postpone(entry, target, checked);
    if (error !== null) {
      // The one that serves is as good as before.
      if (entry.plugin !== null) return null;
      entry.adoptPlan(target);
      this.supervisor.fail(entry, error);
      return null;
    }
    if (action === 'needs_restart') return null;
    if (action === 'keep') entry.adoptPlan(target);
    else this.supervisor.adjust(entry, target);
    // One that failed does not run, but requests may be refused for it.
    const isGivenUp = entry.state === 'failed' && !target.config.enabled;
    return action === 'unload' || isGivenUp ? this.supervisor.remove(entry, this.stopReason) : null;
  }
}
