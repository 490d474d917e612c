import { BackworksError, toBackworksError } from '../../errors.js';
import type { LoadedPlugin } from '../../plugins/loaded-plugin.js';
import type { LibraryChoice } from '../../plugins/loader.js';
import type { PluginEntry } from '../../plugins/plugin-entry.js';
import { limitsInForce } from '../entry/limits-in-force.js';
import { evidence } from '../entry/post-mortem.js';
import type { RegistryEntry } from '../entry/registry-entry.js';
import { StepTimes } from '../entry/step-times.js';
import { checkHealth, inProcess, serves, Unchanged } from './swap-candidate.js';
import type { SwapContext } from './swap-context.js';
import {
  recordOf,
  sentence,
  type SwapDetails,
  type SwapOrigin,
  type SwapOutcome,
  type VersionName,
} from '../entry/swap-record.js';
import { Trial } from '../entry/trial.js';

export interface SwapRequest {
  readonly by: SwapOrigin;
  readonly choose: LibraryChoice;
  /** Whether the library that serves may be swapped for itself. */
  readonly evenIfSame?: boolean;
  /** Others have done it already: they are not asked, and nothing is tried out. */
  readonly following?: boolean;
}

/** canary: the new version gets a share of the requests; the rest of the swap happens by itself. */
export type SwapResult = 'unchanged' | 'canary' | 'swapped';

/** A version that is healthy and gets no requests yet. */
interface Candidate {
  readonly plugin: LoadedPlugin;
  readonly plan: PluginEntry;
  readonly by: SwapOrigin;
  readonly steps: StepTimes;
}

/** Puts one version of a plugin in the place of another while it serves, and takes it back. */
export class PluginSwapper {
  constructor(private readonly context: SwapContext) {}

  /**
   * Starts another version; when it is healthy it gets a share of the requests, or all of them.
   * @throws BackworksError why it is rejected; what serves goes on as before
   */
  async swap(entry: RegistryEntry, request: SwapRequest): Promise<SwapResult> {
    const result = await this.bringUp(entry, request, (candidate): SwapResult => {
      this.endCanary(entry, 'rejected', { by: request.by, reason: 'another swap took its place' });
      const { plugin: serving } = entry;
      const { percent, durationMs } = candidate.plan.config.swap.canary;
      const isOther = serving !== null && serving.digest !== candidate.plugin.digest;
      if (isOther && request.following !== true && percent > 0 && durationMs > 0) {
        this.tryOut(entry, serving, candidate);
        return 'canary';
      }
      this.promote(entry, candidate);
      return 'swapped';
    });
    await entry.reported();
    return result ?? 'unchanged';
  }

  /**
   * Goes back to a version that served before: at once while it stands by, else from its copy.
   * @param to how many versions back, or the beginning of a digest
   * @param followed why others have done it already
   * @throws BackworksError BW_PLUGIN_STATE when there is none, or why it does not start
   */
  async rollBack(entry: RegistryEntry, by: SwapOrigin, to?: string, followed?: string): Promise<void> {
    const { keeper } = this.context;
    const details = { by, reason: followed ?? 'by hand' };
    const following = followed !== undefined;
    const known = entry.trial !== null && to === undefined ? null : await keeper.find(entry, to);
    const { trial } = entry;
    if (known === null && trial?.stage === 'canary') this.endCanary(entry, 'rolled_back', details);
    else if (trial?.stage === 'probation' && (known === null || known.digest === trial.other.digest)) {
      this.context.admit(entry, trial.other.metadata);
      this.comeBack(entry, trial, details);
    } else {
      // The trial may have ended while the copy was looked for.
      const { library } = known ?? (await keeper.find(entry, to));
      const choose: LibraryChoice = () => Promise.resolve(library);
      await this.bringUp(entry, { by, choose, evenIfSame: true, following }, ({ plugin, plan, steps }) => {
        this.endCanary(entry, 'rolled_back', details);
        this.letGo(entry);
        const from = entry.versionName;
        this.switchTo(entry, plan, plugin);
        steps.done('switch');
        this.report(entry, 'rolled_back', from, { ...details, steps });
      });
    }
    await entry.reported();
  }

  /**
   * Puts a plugin that was brought up for another configuration in the place of the one that serves, as a
   * part of a greater change: the caller says when requests get it.
   * @returns what served and does not stand by; the caller retires it
   */
  install(entry: RegistryEntry, plan: PluginEntry, plugin: LoadedPlugin): LoadedPlugin | null {
    this.end(entry, 'the configuration changed');
    const { versionName: from, plan: formerPlan } = entry;
    const former = this.context.put(entry, plan, plugin);
    if (former?.digest === plugin.digest) return former;
    this.report(entry, 'swapped', from, { by: 'reload', reason: null });
    if (former === null || plan.config.swap.probation.durationMs === 0) return former;
    this.standBy(entry, plugin, former, formerPlan);
    return null;
  }

  /**
   * Judges a trial before its time, because a process failed.
   * @param hopeless why the version that serves cannot go on; null when it can
   * @returns whether the former version serves again
   */
  judge({ trial }: RegistryEntry, hopeless: string | null): boolean {
    if (trial === null) return false;
    if (trial.stage === 'probation' && hopeless !== null) return trial.fail(hopeless);
    return trial.judge() && trial.stage === 'probation';
  }

  /** Ends a trial before its time; what serves goes on. */
  end(entry: RegistryEntry, reason: string): void {
    this.endCanary(entry, 'rejected', { by: 'auto', reason });
    this.letGo(entry);
  }

  /**
   * Brings a version up and asks how it is.
   * @param use is called in the turn in which it was found that the version is wanted
   * @returns null when it serves already
   */
  private async bringUp<T>(
    entry: RegistryEntry,
    { by, evenIfSame = false, following = false, ...request }: SwapRequest,
    use: (candidate: Candidate) => T,
  ): Promise<T | null> {
    const { plan } = entry;
    if (entry.plugin !== null && plan.config.isolation === 'in-process') throw inProcess(plan.name);
    const steps = new StepTimes();
    let digest: string | null = null;
    let plugin: LoadedPlugin | null = null;
    const choose: LibraryChoice = async (add) => {
      const library = await request.choose(add);
      if (!evenIfSame && serves(entry, library.digest, by)) throw new Unchanged();
      return library;
    };
    try {
      plugin = await this.context.bringUp(entry, plan, choose, (identified) => {
        digest = identified;
        steps.done('copy');
      });
      steps.done('start');
      this.context.admit(entry, plugin.metadata);
      await checkHealth(plugin);
      steps.done('health');
      if (!following) await this.context.agree(plugin.digest);
      if (entry.state === 'stopped')
        throw new BackworksError('BW_PLUGIN_STATE', `plugin ${plan.name} was stopped`);
    } catch (thrown) {
      await plugin?.close();
      if (thrown instanceof Unchanged) return null;
      const error = toBackworksError(thrown);
      const to = { digest, version: plugin?.metadata.version ?? null };
      const fields = {
        code: error.code,
        ...evidence(error, limitsInForce(plan.config, plugin?.sandbox ?? null)),
      };
      this.report(entry, 'rejected', entry.versionName, { by, reason: error.message, steps, to }, fields);
      throw error;
    }
    return use({ plugin, plan, by, steps });
  }

  private tryOut(entry: RegistryEntry, serving: LoadedPlugin, { plugin, plan, by, steps }: Candidate): void {
    const { swap } = plan.config;
    // There is one trial at a time: the version that serves has stood long enough to be compared with.
    this.letGo(entry);
    const parties = { serving, other: plugin, plan };
    const canary = new Trial('canary', swap, parties, {
      passed: (trial) => {
        steps.done('canary');
        entry.endTrial();
        this.promote(entry, { plugin: trial.other, plan: trial.plan, by, steps });
      },
      failed: (_, reason) => this.endCanary(entry, 'rolled_back', { by: 'auto', reason }),
    });
    entry.beginTrial(canary);
    void this.context.changed();
    const { digest, version } = plugin.versionName;
    const share = `${swap.canary.percent}% of the requests for ${swap.canary.durationMs / 1000} s`;
    this.context.log.info(
      { plugin: plan.name, version, digest },
      `plugin ${plan.name}: ${version} gets ${share}`,
    );
  }

  /** Gives every new request the candidate. */
  private promote(entry: RegistryEntry, { plugin, plan, by, steps }: Candidate): void {
    // Whoever stood by for the version that served is not needed any more.
    this.letGo(entry);
    const { versionName: from, plan: formerPlan } = entry;
    const isOther = entry.plugin?.digest !== plugin.digest;
    this.switchTo(entry, plan, plugin, (former) => {
      if (!isOther || plan.config.swap.probation.durationMs === 0) return false;
      this.standBy(entry, plugin, former, formerPlan);
      return true;
    });
    steps.done('switch');
    this.report(entry, 'swapped', from, { by, reason: null, steps });
  }

  private standBy(
    entry: RegistryEntry,
    serving: LoadedPlugin,
    former: LoadedPlugin,
    formerPlan: PluginEntry,
  ): void {
    const { name, config } = entry.plan;
    const parties = { serving, other: former, plan: formerPlan };
    const probation = new Trial('probation', config.swap, parties, {
      passed: () => {
        this.letGo(entry);
        const { version } = serving.metadata;
        this.context.log.info(
          { plugin: name, version },
          `plugin ${name}: ${version} has passed its probation`,
        );
      },
      failed: (trial, reason) => this.comeBack(entry, trial, { by: 'auto', reason }),
    });
    entry.beginTrial(probation);
  }

  /** Gives every new request the version that stands by. */
  private comeBack(entry: RegistryEntry, trial: Trial, details: SwapDetails): void {
    const steps = new StepTimes();
    const from = entry.versionName;
    entry.endTrial();
    this.switchTo(entry, trial.plan, trial.other);
    steps.done('switch');
    this.report(entry, 'rolled_back', from, { ...details, steps });
  }

  /** What serves gets every request again. @param outcome rolled_back: the new version is not to come again */
  private endCanary(entry: RegistryEntry, outcome: 'rejected' | 'rolled_back', details: SwapDetails): void {
    const { trial } = entry;
    if (trial?.stage !== 'canary') return;
    entry.endTrial();
    this.context.retire(entry, trial.other, this.context.changed());
    const reason = `canary: ${details.reason}`;
    const [fresh, serving] = [trial.other.versionName, entry.versionName];
    if (outcome === 'rolled_back') this.report(entry, outcome, fresh, { ...details, reason, to: serving });
    else this.report(entry, outcome, serving, { ...details, reason, to: fresh });
  }

  /** Ends a probation that was passed, or whose outcome does not matter any more. */
  private letGo(entry: RegistryEntry): void {
    const { trial } = entry;
    if (trial?.stage !== 'probation') return;
    entry.endTrial();
    this.context.retire(entry, trial.other, this.context.changed());
  }

  /** In one turn of the event loop: no request finds the entry without a plugin. */
  private switchTo(
    entry: RegistryEntry,
    plan: PluginEntry,
    plugin: LoadedPlugin,
    keeps: (former: LoadedPlugin) => boolean = () => false,
  ): void {
    const former = this.context.put(entry, plan, plugin);
    const ended = this.context.changed();
    if (former !== null && !keeps(former)) this.context.retire(entry, former, ended);
  }

  /** Logs what happened and writes it down. @param details default for `to`: what serves now */
  private report(
    entry: RegistryEntry,
    outcome: SwapOutcome,
    from: VersionName,
    details: SwapDetails & { readonly to?: VersionName },
    fields: object = {},
  ): void {
    const { plan } = entry;
    const record = recordOf(outcome, from, details.to ?? entry.versionName, details);
    entry.recordSwap(record);
    const level = outcome === 'swapped' ? 'info' : 'warn';
    this.context.log[level]({ plugin: plan.name, ...record, ...fields }, sentence(plan.name, record));
    entry.report(() => this.context.keeper.happened(plan, record));
  }
}
