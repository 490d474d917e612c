import { type Backworks, type BackworksOptions, operate } from '../backworks.js';
import type { BackworksConfig } from '../config/types.js';
import { BackworksError } from '../errors.js';
import { silentLog } from '../log.js';
import { type PreparedReload, prepareUnderLock, type ReloadPlan } from '../reload/prepared-reload.js';
import type { Traffic } from '../traffic.js';
import { mergeFailed, mergePlans } from './merged-plan.js';
import { clusteredControl } from './worker-control.js';
import type { WorkerProcess } from './worker-process.js';
import type { SentFailedChange } from './worker-procedures.js';
import { Workers, type WorkersOptions } from './workers.js';

export type ClusterOptions = Omit<BackworksOptions, 'environment'> & Omit<WorkersOptions, 'log'>;

/**
 * A server whose requests are answered by `server.workers` worker processes. This process is the primary. It
 * answers no requests: it serves the admin API, sends alerts, reloads, and supervises the workers.
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
    plugins: (worker) => workers.plugins(worker),
    workers: () => workers.slots.map((slot) => slot.status()),
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
 * Every worker prepares the configuration; commit() applies it in all of them. No worker starts in between. A
 * worker that exits in between is replaced after the decision, with the configuration that was decided on.
 */
function prepare(workers: Workers, next: BackworksConfig): Promise<PreparedReload> {
  return prepareUnderLock(
    () => workers.lock(),
    async () => {
      const asked = workers.running();
      const answers = await Promise.allSettled(asked.map((one) => one.call('prepare', next)));
      const ready = asked.filter((one, index) => one.isAlive && answers[index]?.status === 'fulfilled');
      const abort = async (): Promise<void> => {
        await Promise.allSettled(ready.map((one) => one.call('abort')));
      };
      try {
        return {
          plan: planOf(asked, answers),
          async commit() {
            workers.configure(next);
            const failed = await Promise.all(ready.map(commit));
            await workers.refresh();
            return mergeFailed(failed);
          },
          abort,
        };
      } catch (thrown) {
        await abort();
        throw thrown;
      }
    },
  );
}

/** @throws the error of a worker that still runs and refused, or BW_RELOAD_REFUSED when no worker runs */
function planOf(
  asked: readonly WorkerProcess[],
  answers: readonly PromiseSettledResult<ReloadPlan>[],
): ReloadPlan {
  const refused = answers.find((answer, index) => answer.status === 'rejected' && asked[index]?.isAlive);
  if (refused?.status === 'rejected') throw refused.reason;
  return mergePlans(some(answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))));
}

/** A worker that fails to apply the prepared configuration is killed, and a replacement starts. */
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
