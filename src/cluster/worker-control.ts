import { BackworksError, toBackworksError } from '../errors.js';
import type { TrafficControl } from '../traffic.js';
import type { Agreement } from './agreement.js';
import type { WorkerProcess } from './worker-process.js';
import type { ControlName } from './worker-procedures.js';
import type { Workers } from './workers.js';

/** The operator's commands, carried out in all workers. */
export function clusteredControl(workers: Workers): TrafficControl {
  const each = <Name extends ControlName>(name: Name) =>
    ((...args: readonly unknown[]) => inEach(workers, name, args)) as TrafficControl[Name];
  const all = <Name extends ControlName>(name: Name) =>
    ((...args: readonly unknown[]) => inAll(workers, name, args)) as TrafficControl[Name];
  /** Like all(), and repeated in workers that start later. */
  const lasting = <Name extends ControlName>(name: Name) =>
    (async (...args: readonly unknown[]) => {
      const result = await inAll(workers, name, args);
      workers.sync.recordCommand(JSON.stringify([name, args]), (worker) =>
        worker.call('control', name, args),
      );
      return result;
    }) as TrafficControl[Name];
  return {
    restart: each('restart'),
    release: each('release'),
    swap: all('swap'),
    rollBack: all('rollBack'),
    history: ((name: string) =>
      some(workers.running())[0].call('control', 'history', [name])) as TrafficControl['history'],
    load: lasting('load'),
    enable: lasting('enable'),
    disable: lasting('disable'),
    unload: lasting('unload'),
  };
}

/**
 * Runs a command in one worker after the other. A worker in which the plugin's state does not allow the command
 * is skipped, because the plugin's state may differ in the next worker. Any other error stops the command.
 * @returns the answer of the first worker that carried out the command
 */
async function inEach(workers: Workers, name: ControlName, args: readonly unknown[]): Promise<unknown> {
  const results: unknown[] = [];
  let unsuitable: BackworksError | null = null;
  for (const worker of some(workers.running())) {
    try {
      results.push(await worker.call('control', name, args));
    } catch (thrown) {
      const error = toBackworksError(thrown);
      if (worker.isAlive && !isUnsuitable(error)) throw error;
      unsuitable ??= error;
    }
  }
  await workers.refresh();
  if (results.length === 0 && unsuitable !== null) throw unsuitable;
  return results[0];
}

/**
 * Runs a command in all workers at once: each prepares, then all commit or none. Workers in which the plugin's
 * state does not allow the command stay unchanged.
 * @returns the answer of the first worker that carried out the command
 */
function inAll(workers: Workers, name: ControlName, args: readonly unknown[]): Promise<unknown> {
  return workers.exclusively(async () => {
    const parties = some(workers.running());
    const outcomes = await workers.sync.withAgreement(parties, (agreement) =>
      Promise.all(parties.map((worker) => doIn(worker, agreement, name, args))),
    );
    await workers.refresh();
    const done = outcomes.find(({ error }) => error === null);
    const failed = outcomes.flatMap(({ worker, error }) => (error === null ? [] : { worker, error }));
    const hard = failed.filter(({ error }) => !isUnsuitable(error));
    const [why] = [...hard, ...failed];
    if (done === undefined && why !== undefined) throw why.error;
    for (const { worker, error } of hard) if (worker.isAlive) workers.sync.killDiverged(worker, error);
    return done?.result;
  });
}

interface Outcome {
  readonly worker: WorkerProcess;
  readonly result: unknown;
  readonly error: BackworksError | null;
}

async function doIn(
  worker: WorkerProcess,
  agreement: Agreement<WorkerProcess>,
  name: ControlName,
  args: readonly unknown[],
): Promise<Outcome> {
  try {
    const result = await worker.call('control', name, args);
    agreement.done(worker);
    return { worker, result, error: null };
  } catch (thrown) {
    const error = toBackworksError(thrown);
    agreement.done(worker, worker.isAlive && !isUnsuitable(error) ? error : null);
    return { worker, result: null, error };
  }
}

function isUnsuitable({ code }: BackworksError): boolean {
  return code === 'BW_PLUGIN_STATE';
}

function some(running: WorkerProcess[]): [WorkerProcess, ...WorkerProcess[]] {
  const [first, ...others] = running;
  if (first !== undefined) return [first, ...others];
  throw new BackworksError('BW_SERVER_WORKER', 'no worker is running');
}
