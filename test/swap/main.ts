/** `npm run test:swap [-- --quick]`: swaps and rollbacks of binaries under load. Prints figures. */
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBackworks, parseConfig } from '../../dist/index.js';
import { putVersion } from '../fixtures/versions.js';
import { childrenOf, openDescriptors } from '../supervision/processes.js';
import { allHeld, expectThat, figure, quantile, title } from '../supervision/report.js';
import { type FailedRequest, Traffic } from './traffic.js';

const quick = process.argv.includes('--quick');
const [SWAPS, ROLLBACKS] = quick ? [12, 6] : [100, 20];
const CONNECTIONS = 64;
const KEEP = 3;
const LANGUAGES = ['versioned', 'versioned_rust', 'versioned_go'];
const SWITCH_MS_MAX = 50;

const directory = mkdtempSync(join(tmpdir(), 'backworks-swaps-'));
chmodSync(directory, 0o755);
process.env['XDG_CACHE_HOME'] = join(directory, 'cache');
const library = join(directory, 'versioned.so');
let version = 1000;
const putNext = (behaviour: string): string => {
  version += 1;
  putVersion(library, version, behaviour, LANGUAGES[version % LANGUAGES.length]);
  return `1.0.${version}`;
};
putNext('good');

const { config } = parseConfig(
  `
server: { port: 0 }
admin: { enabled: false }
endpoints:
  version: { path: /version, plugin: versioned }
  hook: { path: /hook, response: { body: hello } }
plugins:
  versioned:
    path: ${library}
    timeouts: { call: 10s }
    restart: { delay: 1ms, max_delay: 10ms }
    circuit_breaker: { failures: 100000, window: 1s }
    quarantine: { failures: 0 }
    swap:
      keep: ${KEEP}
      probation: { duration: 1h, max_error_rate: 10%, max_latency: 0, max_crashes: 2, min_calls: 20 }
`,
  { directory },
);
const backworks = createBackworks(config);
const { url } = await backworks.start();
const status = () => backworks.plugins()[0]!;
const copies = (): string[] =>
  readdirSync(join(directory, 'cache/backworks/libraries')).filter((name) => name.endsWith('.so'));
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const until = async (condition: () => boolean, what: string): Promise<void> => {
  const limit = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > limit) throw new Error(`${what} did not happen within a minute`);
    await pause(5);
  }
};
/** Waits until former versions have ended, except the version kept for a rollback. */
const settled = (): Promise<void> =>
  until(() => status().versions.every(({ role }) => role !== 'leaving'), 'the end of former versions');
const showFailures = (failed: readonly FailedRequest[]): string =>
  `${failed.length}${failed.length === 0 ? '' : ` ${JSON.stringify(failed.slice(0, 3))}`}`;

title(`${SWAPS} swaps of C, Rust and Go in turn, ${CONNECTIONS} connections`);
await swaps();
title(`${ROLLBACKS} automatic rollbacks, ${CONNECTIONS} connections`);
await rollbacks();

await backworks.stop();
expectThat(
  'no process is left after the server',
  childrenOf(process.pid).length === 0,
  String(childrenOf(process.pid).length),
);
rmSync(directory, { recursive: true, force: true });
process.exitCode = allHeld() ? 0 : 1;

async function swaps(): Promise<void> {
  // The first swap opens descriptors that stay open.
  putNext('good');
  await backworks.swapPlugin('versioned');
  await pause(500);
  const before = { descriptors: openDescriptors('self'), processes: childrenOf(process.pid).length };
  const traffic = new Traffic(url, CONNECTIONS, ['/version', '/hook']);
  await pause(200);
  const [switches, wholes]: [number[], number[]] = [[], []];
  const started = performance.now();
  let served = 0;
  for (let swap = 0; swap < SWAPS; swap += 1) {
    const name = putNext('good');
    await backworks.swapPlugin('versioned');
    const { steps = {} } = status().lastSwap ?? {};
    switches.push(steps['switch'] ?? NaN);
    wholes.push(Object.values(steps).reduce((sum, ms) => sum + ms, 0));
    await until(() => traffic.versions.has(name), 'an answer of the new version');
    served += 1;
  }
  const seconds = (performance.now() - started) / 1000;
  await traffic.stop();
  await settled();
  await pause(500);
  figure('requests', `${traffic.requests}, ${Math.round(traffic.requests / seconds)}/s`);
  figure(
    'from healthy to all traffic, p50 / p99',
    `${quantile(switches, 0.5)} / ${quantile(switches, 0.99)} ms`,
  );
  figure(
    'from the file to all traffic, p50 / p99',
    `${quantile(wholes, 0.5).toFixed(1)} / ${quantile(wholes, 0.99).toFixed(1)} ms`,
  );
  expectThat('every version served', served === SWAPS, `${served} of ${SWAPS}`);
  expectThat('no request failed', traffic.failed.length === 0, showFailures(traffic.failed));
  expectThat(
    `p99 from healthy to all traffic is at most ${SWITCH_MS_MAX} ms`,
    quantile(switches, 0.99) <= SWITCH_MS_MAX,
    `${quantile(switches, 0.99)} ms`,
  );
  expectNothingLeft(before);
}

async function rollbacks(): Promise<void> {
  putNext('good');
  await backworks.swapPlugin('versioned');
  await settled();
  await pause(500);
  const before = { descriptors: openDescriptors('self'), processes: childrenOf(process.pid).length };
  const traffic = new Traffic(url, CONNECTIONS, ['/hook']);
  const switches: number[] = [];
  let taken = 0;
  for (let rollback = 0; rollback < ROLLBACKS; rollback += 1) {
    // Good calls, so that the serving version has the better record.
    const good = status().version;
    await pause(100);
    putNext(rollback % 2 === 0 ? 'crash' : 'error');
    await backworks.swapPlugin('versioned');
    await until(() => status().lastSwap?.outcome === 'rolled_back', 'the rollback');
    switches.push(status().lastSwap?.steps['switch'] ?? NaN);
    if (status().version === good) taken += 1;
    await settled();
  }
  await traffic.stop();
  await settled();
  putNext('good');
  await backworks.swapPlugin('versioned');
  await settled();
  await pause(500);
  figure('requests', String(traffic.requests));
  figure(
    'from the verdict to all traffic, p50 / p99',
    `${quantile(switches, 0.5)} / ${quantile(switches, 0.99)} ms`,
  );
  expectThat('every bad version was rolled back', taken === ROLLBACKS, `${taken} of ${ROLLBACKS}`);
  expectThat('no request failed', traffic.failed.length === 0, showFailures(traffic.failed));
  expectNothingLeft(before);
}

function expectNothingLeft(before: { descriptors: number; processes: number }): void {
  const processes = childrenOf(process.pid).length;
  const descriptors = openDescriptors('self');
  expectThat(
    'no process is left',
    processes <= before.processes,
    `${before.processes} before, ${processes} after`,
  );
  expectThat(
    'no descriptor is left',
    descriptors <= before.descriptors,
    `${before.descriptors} before, ${descriptors} after`,
  );
  expectThat(`no more than ${KEEP} copies are left`, copies().length <= KEEP, String(copies().length));
}
