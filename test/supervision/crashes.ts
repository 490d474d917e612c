import { inFlight, SupervisedPlugin, until } from '../native/supervised-plugin.js';
import { allProcesses, childrenOf, openDescriptors, residentBytes } from './processes.js';
import { expectThat, figure, mebibytes, title } from './report.js';

const WARM_UP = 500;
const RESIDENT_GROWTH_MAX = 32 * 1024 * 1024;

/** What so many crashes leave behind: nothing. */
export async function crashes(total: number): Promise<void> {
  title(`${total} crashes`);
  const plugin = await SupervisedPlugin.open();
  const seen = new Set<number>();
  const crash = async (): Promise<void> => {
    for (const { pid } of plugin.processes()) seen.add(pid);
    await plugin.call('/crash');
  };
  await inFlight(8, WARM_UP, crash);
  const before = await atRest(plugin);
  const started = performance.now();
  await inFlight(8, total, crash);
  const seconds = (performance.now() - started) / 1000;
  const after = await atRest(plugin);

  figure('restarts', `${plugin.failures.length} in ${seconds.toFixed(1)} s`);
  expectThat(
    'each crash was reported once',
    plugin.failures.length === total + WARM_UP,
    String(plugin.failures.length),
  );
  expectThat(
    'descriptors',
    after.descriptors <= before.descriptors,
    `${before.descriptors} → ${after.descriptors}`,
  );
  const grown = after.resident - before.resident;
  const memory = `${mebibytes(before.resident)} → ${mebibytes(after.resident)}`;
  expectThat('resident memory', grown <= RESIDENT_GROWTH_MAX, memory);
  expectThat('child processes', after.children === before.children, `${before.children} → ${after.children}`);
  expectThat('zombies', after.zombies === 0, String(after.zombies));
  await plugin.close();
  const alive = allProcesses().filter(
    ({ pid, parent }) => seen.has(pid) && (parent === 1 || parent === process.pid),
  );
  expectThat(`orphans among ${seen.size} runners`, alive.length === 0, String(alive.length));
}

interface Rest {
  readonly descriptors: number;
  readonly resident: number;
  readonly children: number;
  readonly zombies: number;
}

async function atRest(plugin: SupervisedPlugin): Promise<Rest> {
  await until(
    () => childrenOf(process.pid).length === 2 && plugin.processes().length === 2,
    'worker and spare',
  );
  await plugin.call('/ok');
  globalThis.gc?.();
  const children = childrenOf(process.pid);
  return {
    descriptors: openDescriptors('self'),
    resident: residentBytes('self'),
    children: children.length,
    zombies: children.filter(({ state }) => state === 'Z').length,
  };
}
