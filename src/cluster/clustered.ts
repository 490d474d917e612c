import { type Backworks, type BackworksOptions, operate } from '../backworks.js';
import type { BackworksConfig } from '../config/types.js';
import { BackworksError, toBackworksError } from '../errors.js';
import { silentLog } from '../log.js';
import type { PreparedReload, ReloadPlan } from '../reload/prepared-reload.js';
import type { Traffic, TrafficControl } from '../traffic.js';
import { mergeFailed, mergePlans } from './merged-plan.js';
import type { WorkerProcess } from './worker-process.js';
import type { ControlName, SentFailedChange } from './worker-procedures.js';
import { Workers, type WorkersOptions } from './workers.js';

export type ClusterOptions = Omit<BackworksOptions, 'environment'> & Omit<WorkersOptions, 'log'>;

/**
 * A server whose requests are answered by `server.workers` processes. This process answers none: it has
 * the admin API, alerts and reloading, and looks after the workers.
 */
export function createClusteredBackworks(
  config: BackworksConfig,
  options: ClusterOptions,
): Omit<Backworks, 'inspect'> {
  const { log = silentLog } = options;
  const workers = new Workers(config, { ...options, log });
  return operate(config, clusteredTraffic(workers), options);
}

function clusteredTraffic(workers: Workers): Traffic {
  return {
    start: () => workers.start(),
    stop: () => workers.stop(),
    refresh: () => workers.refresh(),
    get serving() {
      return workers.running().length > 0;
    },
    plugins: () => workers.plugins(),
    rejected: () => workers.rejected(),
    metrics: workers.metrics,
    control: clusteredControl(workers),
    onState: (listener) => workers.onState(listener),
    plan: async (next) =>
      mergePlans(some(await Promise.all(workers.running().map((one) => one.call('plan', next))))),
    prepare: (next) => prepare(workers, next),
  };
}

/**
 * Has every worker make a configuration ready; commit() has all of them take it up. No worker starts
 * between the two, and one that ends is replaced by one with the configuration that was decided for.
 */
function prepare(workers: Workers, next: BackworksConfig): Promise<PreparedReload> {
  return new Promise((resolve, reject) => {
    const decided = workers.exclusively(async () => {
      const asked = workers.running();
      const answers = await Promise.allSettled(asked.map((one) => one.call('prepare', next)));
      const ready = asked.filter((one, index) => one.isAlive && answers[index]?.status === 'fulfilled');
      const abort = async (): Promise<void> => {
        await Promise.allSettled(ready.map((one) => one.call('abort')));
      };
      const refused = answers.find((answer, index) => answer.status === 'rejected' && asked[index]?.isAlive);
      if (refused?.status === 'rejected') {
        await abort();
        throw refused.reason;
      }
      const plans = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
      const plan = mergePlans(some(plans));
      await new Promise<void>((done) => {
        resolve({
          plan,
          async commit() {
            workers.configure(next);
            const failed = await Promise.all(ready.map(commit));
            done();
            await workers.refresh();
            return mergeFailed(failed);
          },
          abort: () => abort().finally(done),
        });
      });
    });
    decided.catch(reject);
  });
}

/** A worker that does not take up what it had ready is not what it should be: another takes its place. */
async function commit(worker: WorkerProcess): Promise<readonly SentFailedChange[]> {
  try {
    return await worker.call('commit');
  } catch {
    worker.kill();
    return [];
  }
}

function some(plans: readonly ReloadPlan[]): [ReloadPlan, ...ReloadPlan[]] {
  const [first, ...others] = plans;
  if (first !== undefined) return [first, ...others];
  throw new BackworksError('BW_RELOAD_REFUSED', 'nothing was changed: no worker is running');
}

/** What an operator does, done in one worker after the other. */
function clusteredControl(workers: Workers): TrafficControl {
  const each = <Name extends ControlName>(name: Name) =>
    ((...args: readonly unknown[]) => inEach(workers, name, args)) as TrafficControl[Name];
  /** The same, and done in workers that start later. */
  const lasting = <Name extends ControlName>(name: Name) =>
    (async (...args: readonly unknown[]) => {
      const result = await inEach(workers, name, args);
      workers.byHand.push((worker) => worker.call('control', name, args));
      return result;
    }) as TrafficControl[Name];
  return {
    restart: each('restart'),
    release: each('release'),
    swap: each('swap'),
    rollBack: each('rollBack'),
    history: ((name: string) =>
      someWorker(workers).call('control', 'history', [name])) as TrafficControl['history'],
    load: lasting('load'),
    enable: lasting('enable'),
    disable: lasting('disable'),
    unload: lasting('unload'),
  };
}

/**
 * Goes on when a plugin's state in one worker does not allow it, since it may be another one in the next,
 * and ends at any other error: what does not work in one worker is not tried in the others.
 * @returns what the first worker answered
 */
async function inEach(workers: Workers, name: ControlName, args: readonly unknown[]): Promise<unknown> {
  const results: unknown[] = [];
  let unsuitable: BackworksError | null = null;
  for (const worker of workers.running()) {
    try {
      results.push(await worker.call('control', name, args));
    } catch (thrown) {
      const error = toBackworksError(thrown);
      if (worker.isAlive && error.code !== 'BW_PLUGIN_STATE') throw error;
      unsuitable ??= error;
    }
  }
  await workers.refresh();
  if (results.length === 0 && unsuitable !== null) throw unsuitable;
  return results[0];
}

function someWorker(workers: Workers): WorkerProcess {
  const [first] = workers.running();
  if (first !== undefined) return first;
  throw new BackworksError('BW_SERVER_WORKER', 'no worker is running');
}
