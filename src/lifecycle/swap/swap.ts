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
  /** True to start the library even if it already serves. */
  readonly evenIfSame?: boolean;
  /** True if another worker has already done this swap: the workers are not asked again, and there is no canary. */
  readonly followsWorker?: boolean;
}

/** canary: the new version gets a share of the requests, and the swap completes or is rolled back later. */
export type SwapResult = 'unchanged' | 'canary' | 'swapped';

/** A started, healthy version that gets no requests yet. */
interface Candidate {
  readonly plugin: LoadedPlugin;
  readonly plan: PluginEntry;
  readonly by: SwapOrigin;
  readonly steps: StepTimes;
}

/** Replaces the version of a plugin while it serves, and rolls it back. */
export class PluginSwapper {
  constructor(private readonly context: SwapContext) {}

  /**
   * Starts another version. When it is healthy, it gets a share of the requests or all of them.
   * @throws BackworksError the reason the version is rejected; the current version keeps serving
   */
  async swap(entry: RegistryEntry, request: SwapRequest): Promise<SwapResult> {
    const result = await this.startCandidate(entry, request, (candidate): SwapResult => {
      this.endCanary(entry, 'rejected', { by: request.by, reason: 'another swap replaced this one' });
      const { plugin: serving } = entry;
      const { percent, durationMs } = candidate.plan.config.swap.canary;
      const isOther = serving !== null && serving.digest !== candidate.plugin.digest;
      if (isOther && request.followsWorker !== true && percent > 0 && durationMs > 0) {
        this.startCanary(entry, serving, candidate);
        return 'canary';
      }
      this.promote(entry, candidate);
      return 'swapped';
    });
    await entry.reported();
    return result ?? 'unchanged';
  }

  /**
   * Rolls back to a version that served before: at once to a version on standby, otherwise by starting its copy.
   * @param to how many versions back, or the first digits of a digest
   * @param followedReason the reason of a rollback that another worker has already done
   * @throws BackworksError BW_PLUGIN_STATE if there is no such version, or the reason it does not start
   */
  async rollBack(entry: RegistryEntry, by: SwapOrigin, to?: string, followedReason?: string): Promise<void> {
    const { keeper } = this.context;
    const details = { by, reason: followedReason ?? 'requested by an operator' };
    const followsWorker = followedReason !== undefined;
    const known = entry.trial !== null && to === undefined ? null : await keeper.find(entry, to);
    const { trial } = entry;
    if (known === null && trial?.stage === 'canary') this.endCanary(entry, 'rolled_back', details);
    else if (trial?.stage === 'probation' && (known === null || known.digest === trial.other.digest)) {
      this.context.admit(entry, trial.other.metadata);
      this.returnToStandby(entry, trial, details);
    } else {
      // The trial may have ended while find() was running.
      const { library } = known ?? (await keeper.find(entry, to));
      const choose: LibraryChoice = () => Promise.resolve(library);
      await this.startCandidate(
        entry,
        { by, choose, evenIfSame: true, followsWorker },
        ({ plugin, plan, steps }) => {
          this.endCanary(entry, 'rolled_back', details);
          this.endProbation(entry);
          const from = entry.versionName;
          this.switchTo(entry, plan, plugin);
          steps.done('switch');
          this.report(entry, 'rolled_back', from, { ...details, steps });
        },
      );
    }
    await entry.reported();
  }

  /**
   * Replaces the serving plugin by one that was started for another configuration, as part of a reload. The caller
   * calls changed() when all plugins of the reload are in place.
   * @returns the former plugin unless it stays on standby; the caller retires it
   */
  install(entry: RegistryEntry, plan: PluginEntry, plugin: LoadedPlugin): LoadedPlugin | null {
    this.end(entry, 'the configuration changed');
    const { versionName: from, plan: formerPlan } = entry;
    const former = this.context.replace(entry, plan, plugin);
    if (former?.digest === plugin.digest) return former;
    this.report(entry, 'swapped', from, { by: 'reload', reason: null });
    if (former === null || plan.config.swap.probation.durationMs === 0) return former;
    this.startProbation(entry, plugin, former, formerPlan);
    return null;
  }

  /**
   * Judges a trial at once, because a process failed.
   * @param fatalReason why the serving version must stop serving, or null
   * @returns true if the former version serves again
   */
  judge({ trial }: RegistryEntry, fatalReason: string | null): boolean {
    if (trial === null) return false;
    if (trial.stage === 'probation' && fatalReason !== null) return trial.fail(fatalReason);
    return trial.judge() && trial.stage === 'probation';
  }

  /** Ends a trial early; the serving version stays. */
  end(entry: RegistryEntry, reason: string): void {
    this.endCanary(entry, 'rejected', { by: 'auto', reason });
    this.endProbation(entry);
  }

  /**
   * Starts a version and checks its health.
   * @param use called synchronously after the last check, so that no other change comes in between
   * @returns null if the version already serves
   */
  private async startCandidate<T>(
    entry: RegistryEntry,
    { by, evenIfSame = false, followsWorker = false, ...request }: SwapRequest,
    use: (candidate: Candidate) => T,
  ): Promise<T | null> {
    const { plan } = entry;
    if (entry.plugin !== null && plan.config.isolation === 'in-process') throw inProcess(plan.name);
    const steps = new StepTimes();
    let digest: string | null = null;
    let plugin: LoadedPlugin | null = null;
    const choose: LibraryChoice = async (add) => {
      const library = await request.choose(add);
      if (!evenIfSame && serves(entry, library, by)) throw new Unchanged();
      return library;
    };
    try {
      plugin = await this.context.start(entry, plan, choose, (identified) => {
        digest = identified;
        steps.done('copy');
      });
      steps.done('start');
      this.context.admit(entry, plugin.metadata);
      await checkHealth(plugin);
      steps.done('health');
      if (!followsWorker) await this.context.agree(plugin.digest);
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

  private startCanary(
    entry: RegistryEntry,
    serving: LoadedPlugin,
    { plugin, plan, by, steps }: Candidate,
  ): void {
    const { swap } = plan.config;
    // Only one trial runs at a time. Ending the probation makes the serving version the one to compare with.
    this.endProbation(entry);
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
      `plugin ${plan.name}: canary version ${version} gets ${share}`,
    );
  }

  /** Sends all new requests to the candidate. */
  private promote(entry: RegistryEntry, { plugin, plan, by, steps }: Candidate): void {
    // The standby of the version that served so far is no longer needed.
    this.endProbation(entry);
    const { versionName: from, plan: formerPlan } = entry;
    const isOther = entry.plugin?.digest !== plugin.digest;
    this.switchTo(entry, plan, plugin, (former) => {
      if (!isOther || plan.config.swap.probation.durationMs === 0) return false;
      this.startProbation(entry, plugin, former, formerPlan);
      return true;
    });
    steps.done('switch');
    this.report(entry, 'swapped', from, { by, reason: null, steps });
  }

  private startProbation(
    entry: RegistryEntry,
    serving: LoadedPlugin,
    former: LoadedPlugin,
    formerPlan: PluginEntry,
  ): void {
    const { name, config } = entry.plan;
    const parties = { serving, other: former, plan: formerPlan };
    const probation = new Trial('probation', config.swap, parties, {
      passed: () => {
        this.endProbation(entry);
        const { version } = serving.metadata;
        this.context.log.info(
          { plugin: name, version },
          `plugin ${name}: version ${version} has passed its probation`,
        );
      },
      failed: (trial, reason) => this.returnToStandby(entry, trial, { by: 'auto', reason }),
    });
    entry.beginTrial(probation);
  }

  /** Sends all new requests to the version on standby. */
  private returnToStandby(entry: RegistryEntry, trial: Trial, details: SwapDetails): void {
    const steps = new StepTimes();
    const from = entry.versionName;
    entry.endTrial();
    this.switchTo(entry, trial.plan, trial.other);
    steps.done('switch');
    this.report(entry, 'rolled_back', from, { ...details, steps });
  }

  /** Ends a canary; the serving version gets all requests. @param outcome rolled_back refuses the version later */
  private endCanary(entry: RegistryEntry, outcome: 'rejected' | 'rolled_back', details: SwapDetails): void {
    const { trial } = entry;
    if (trial?.stage !== 'canary') return;
    entry.endTrial();
    entry.afterChange(() => this.context.retire(entry, trial.other, this.context.changed()));
    const reason = `canary: ${details.reason}`;
    const [fresh, serving] = [trial.other.versionName, entry.versionName];
    if (outcome === 'rolled_back') this.report(entry, outcome, fresh, { ...details, reason, to: serving });
    else this.report(entry, outcome, serving, { ...details, reason, to: fresh });
  }

  /** Ends a probation that was passed or is obsolete. */
  private endProbation(entry: RegistryEntry): void {
    const { trial } = entry;
    if (trial?.stage !== 'probation') return;
    entry.endTrial();
    entry.afterChange(() => this.context.retire(entry, trial.other, this.context.changed()));
  }

  /** Switches within one turn of the event loop, so that no request finds the entry without a plugin. */
  private switchTo(
    entry: RegistryEntry,
    plan: PluginEntry,
    plugin: LoadedPlugin,
    keeps: (former: LoadedPlugin) => boolean = () => false,
  ): void {
    const former = this.context.replace(entry, plan, plugin);
    const ended = this.context.changed();
    if (former !== null && !keeps(former)) this.context.retire(entry, former, ended);
  }

  /** Logs and records the result of a swap. @param details `to` defaults to the serving version */
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
    entry.afterChange(() =>
      this.context.log[level]({ plugin: plan.name, ...record, ...fields }, sentence(plan.name, record)),
    );
    entry.report(() => this.context.keeper.recordSwap(plan, record));
  }
}
