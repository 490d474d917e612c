import { compilePlugin } from '../fixtures/compile.js';
import { inFlight, SupervisedPlugin, until } from '../native/pool/supervised-plugin.js';
import { allProcesses, childrenOf, openDescriptors, residentBytes } from './processes.js';
import { expectThat, figure, mebibytes, title } from './report.js';

const WARM_UP = 500;
const QUARTERS = 4;
/** From the second quarter to the last. A leak in each restart would exceed this limit. */
const HEAP_GROWTH_MAX = 1024 * 1024;
/** Buffers are allocated and freed in blocks, also while this script reads /proc. */
const EXTERNAL_GROWTH_MAX = 4 * 1024 * 1024;
/** The allocator returns memory to the system only from time to time. */
const RESIDENT_GROWTH_MAX = 16 * 1024 * 1024;

/** A way to end a process. */
export interface Ending {
  readonly title: string;
  /** The endpoint that ends the process; /ok does not. */
  readonly action: string;
  readonly code: string;
  /** Concurrent calls; each must end a process. */
  readonly width: number;
  /** Default: supervised.c */
  readonly library?: string;
}

export const CRASHES: Ending = { title: 'crashes', action: '/crash', code: 'BW_PLUGIN_CRASHED', width: 8 };
export const GARBAGE: Ending = {
  title: 'processes that send garbage',
  action: '/bad',
  code: 'BW_PLUGIN_PROTOCOL',
  // Until the process is killed, it also answers the calls queued behind this call.
  width: 1,
  library: 'hostile/h28_garbage',
};

/** Checks that ended processes leave no memory, descriptors, handles or processes behind. */
export async function endings(ending: Ending, total: number): Promise<void> {
  title(`${total} ${ending.title}`);
  const { action, code, width, library } = ending;
  const plugin = await SupervisedPlugin.open(
    library === undefined ? {} : { options: { libraryPath: compilePlugin(library) } },
  );
  const seen = new Set<number>();
  const end = async (): Promise<void> => {
    for (const { pid } of plugin.processes()) seen.add(pid);
    await plugin.call(action);
  };
  const count = new Tally(plugin, seen, code);
  await inFlight(width, WARM_UP, end);
  count.take();
  const before = await atRest(plugin);
  const quarters: Rest[] = [];
  const started = performance.now();
  for (let quarter = 0; quarter < QUARTERS; quarter += 1) {
    await inFlight(width, total / QUARTERS, end);
    // The records of this script must not look like a leak.
    await until(() => plugin.processes().length === 2, 'worker and spare');
    count.take();
    quarters.push(await atRest(plugin));
  }
  const seconds = (performance.now() - started) / 1000;
  figure('restarts', `${count.reported} in ${seconds.toFixed(1)} s`);
  expectThat('each end was reported once', count.reported === total + WARM_UP, String(count.reported));
  compare(before, quarters);
  await plugin.close();
  count.take();
  expectThat(`no orphans among ${count.processes} runners`, count.orphans() === 0, String(count.orphans()));
}

function compare(before: Rest, quarters: readonly Rest[]): void {
  const [, second = before] = quarters;
  const last = quarters.at(-1) ?? before;
  const course = (of: (rest: Rest) => string): string => [before, ...quarters].map(of).join(' → ');
  const grown = (of: (rest: Rest) => number): number => of(last) - of(second);
  const heap = course((rest) => mebibytes(rest.heap));
  expectThat('the heap does not grow', grown((rest) => rest.heap) <= HEAP_GROWTH_MAX, heap);
  const external = course((rest) => mebibytes(rest.external));
  expectThat(
    'buffers and other memory do not grow',
    grown((rest) => rest.external) <= EXTERNAL_GROWTH_MAX,
    external,
  );
  const resident = course((rest) => mebibytes(rest.resident));
  expectThat(
    'resident memory does not grow',
    grown((rest) => rest.resident) <= RESIDENT_GROWTH_MAX,
    resident,
  );
  for (const kind of ['descriptors', 'handles', 'children'] as const) {
    const held = last[kind] <= before[kind];
    expectThat(
      kind,
      held,
      course((rest) => String(rest[kind])),
    );
  }
  expectThat('zombies', last.zombies === 0, String(last.zombies));
}

/** Counts the records of the plugin and of this script, and then deletes them. */
class Tally {
  reported = 0;
  processes = 0;
  private readonly alive: number[] = [];

  constructor(
    private readonly plugin: SupervisedPlugin,
    private readonly seen: Set<number>,
    private readonly code: string,
  ) {}

  take(): void {
    const { failures, executions, begun } = this.plugin;
    this.reported += failures.filter(({ code }) => code === this.code).length;
    failures.length = 0;
    executions.clear();
    begun.clear();
    const running = new Set(this.plugin.processes().map(({ pid }) => pid));
    const ended = [...this.seen].filter((pid) => !running.has(pid));
    this.processes += ended.length;
    this.alive.push(...existing(ended));
    this.seen.clear();
  }

  /** Processes that should have ended by now. */
  orphans(): number {
    return existing(this.alive).length;
  }
}

function existing(pids: readonly number[]): number[] {
  const wanted = new Set(pids);
  return allProcesses()
    .filter(({ pid, parent }) => wanted.has(pid) && (parent === 1 || parent === process.pid))
    .map(({ pid }) => pid);
}

interface Rest {
  readonly heap: number;
  readonly external: number;
  readonly resident: number;
  readonly descriptors: number;
  readonly handles: number;
  readonly children: number;
  readonly zombies: number;
}

async function atRest(plugin: SupervisedPlugin): Promise<Rest> {
  await until(
    () => childrenOf(process.pid).length === 2 && plugin.processes().length === 2,
    'worker and spare',
  );
  await plugin.call('/ok');
  // Memory released by a finalizer is freed only by the next collection.
  for (let collection = 0; collection < 3; collection += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const children = childrenOf(process.pid);
  const { heapUsed, external } = process.memoryUsage();
  return {
    heap: heapUsed,
    external,
    resident: residentBytes('self'),
    descriptors: openDescriptors('self'),
    handles: process.getActiveResourcesInfo().length,
    children: children.length,
    zombies: children.filter(({ state }) => state === 'Z').length,
  };
}
