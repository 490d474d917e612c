/**
 * `npm run test:reload -- --reloads N`: one reload after the other under load from 64 connections. No request
 * may fail, none may be answered under a configuration that was not in force, and nothing may be left over.
 */
import { compilePlugin } from '../fixtures/compile.js';
import { childrenOf, openDescriptors } from '../supervision/processes.js';
import { allHeld, expectThat, figure, quantile, title } from '../supervision/report.js';
import { ReloadedServer } from './server.js';
import { ReloadTraffic } from './traffic.js';

const CONNECTIONS = 64;
const GAP_MS_MAX = 50;
const REST_LIMIT_MS = 30_000;
const DESCRIPTORS_MORE_MAX = 4;

const library = {
  started: compilePlugin('config_echo'),
  told: compilePlugin('reconfigurable'),
  tag: compilePlugin('tag'),
};

interface Variant {
  readonly order?: string;
  readonly instances?: number;
  readonly extra?: boolean;
  readonly endpoint?: boolean;
  readonly policy?: string;
  readonly tag?: string;
}

/** Changes of one kind each: every reload makes one of them beside the new number. */
const VARIANTS: readonly Variant[] = [
  { order: 'tag first' },
  { instances: 2 },
  { extra: true },
  { endpoint: true },
  {
    policy: 'priority: 7, timeouts: { call: 6s }, circuit_breaker: { failures: 7 }, limits: { queue: 2000 }',
  },
  { tag: 'swapped' },
];

/** The configuration of a number: the first is the one everything comes back to. */
function configuration(generation: number): string {
  const variant: Variant = generation === 0 ? {} : (VARIANTS[generation % VARIANTS.length] ?? {});
  const patient = variant.policy ?? 'timeouts: { call: 5s }';
  const tag = `tag: { path: ${library.tag}, config: { tag: a, other: ${variant.tag ?? 'same'} }, ${patient} }`;
  const rest = [
    `started: { path: ${library.started}, config: { generation: ${generation} }, timeouts: { call: 5s } }`,
    `told: { path: ${library.told}, config: { generation: ${generation} }, instances: ${variant.instances ?? 1}, timeouts: { call: 5s } }`,
    ...(variant.extra === true
      ? [`extra: { path: ${library.tag}, config: { tag: b }, timeouts: { call: 5s } }`]
      : []),
  ];
  const plugins = variant.order === undefined ? [...rest, tag] : [tag, ...rest];
  return `
endpoints:
  static: { path: /static, response: { body: { generation: ${generation} } } }
  started: { path: /started, plugin: started }
  told: { path: /told, plugin: told }
  ${variant.endpoint === true ? 'more: { path: /more, plugin: told }' : ''}
plugins:
  ${plugins.join('\n  ')}
logging: { level: warn }
`;
}

const reloads = readReloads(process.argv.slice(2));
const server = await ReloadedServer.start(configuration(0));
try {
  await reloadUnderLoad();
} finally {
  const code = await server.stop();
  expectThat('the server ended as asked', code === 0, `exit code ${code}`);
}
process.exitCode = allHeld() ? 0 : 1;

async function reloadUnderLoad(): Promise<void> {
  title(`${reloads} reloads under load from ${CONNECTIONS} connections`);
  const generations = { inForce: 0, written: 0 };
  // Whatever a first reload sets up for good is not left over.
  await server.reload(configuration(0));
  const before = await atRest(() => true);
  const traffic = new ReloadTraffic(server.url, CONNECTIONS, generations);
  const durations: number[] = [];
  const actions = new Map<string, number>();
  const failed: string[] = [];
  for (let reload = 1; reload <= reloads; reload += 1) {
    generations.written = reload;
    const report = await server.reload(configuration(reload));
    generations.inForce = reload;
    durations.push(report.duration_ms);
    failed.push(...report.failed.map(({ message }) => message));
    for (const { action } of report.plugins) actions.set(action, (actions.get(action) ?? 0) + 1);
    await pause(Math.random() * GAP_MS_MAX);
  }
  await traffic.stop();
  // Back to the beginning, so that what is left can be held against it.
  generations.written = reloads + 1;
  await server.reload(configuration(0));
  const after = await atRest(
    ({ processes, descriptors }) =>
      processes === before.processes && descriptors <= before.descriptors + DESCRIPTORS_MORE_MAX,
  );

  figure('requests', String(traffic.requests));
  figure('changes of plugins', [...actions].map(([action, count]) => `${count} ${action}`).join(', '));
  figure('a reload, median', `${quantile(durations, 0.5).toFixed(1)} ms`);
  figure('a reload, p99', `${quantile(durations, 0.99).toFixed(1)} ms`);
  expectThat(
    'no request failed',
    traffic.failures.length === 0,
    traffic.failures.slice(0, 10).join('\n    '),
  );
  expectThat('every plugin came up', failed.length === 0, failed[0] ?? '');
  expectThat(
    'every kind of change was made',
    ['adjust', 'load', 'reconfigure', 'swap', 'unload'].every((kind) => actions.has(kind)),
    [...actions.keys()].join(', '),
  );
  expectThat(
    'no process is left',
    after.processes === before.processes,
    `${before.processes} before, ${after.processes} after`,
  );
  expectThat(
    'no descriptor is left',
    after.descriptors <= before.descriptors + DESCRIPTORS_MORE_MAX,
    `${before.descriptors} before, ${after.descriptors} after`,
  );
}

interface Held {
  readonly processes: number;
  readonly descriptors: number;
}

/** What the server holds when that is twice the same in a row and `isRest`; after a while in any case. */
async function atRest(isRest: (held: Held) => boolean): Promise<Held> {
  const held = (): Held => ({
    processes: childrenOf(server.pid).length,
    descriptors: openDescriptors(server.pid),
  });
  const until = Date.now() + REST_LIMIT_MS;
  let last = held();
  for (;;) {
    await pause(500);
    const now = held();
    const settled = now.processes === last.processes && now.descriptors === last.descriptors;
    if ((settled && isRest(now)) || Date.now() > until) return now;
    last = now;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function readReloads(args: readonly string[]): number {
  if (args.length === 0) return 100;
  const [flag, value] = args;
  if (flag === '--quick' && value === undefined) return 18;
  const reloads = Number(value);
  if (flag !== '--reloads' || !Number.isInteger(reloads) || reloads < 6) {
    process.stderr.write('usage: npm run test:reload -- [--quick | --reloads N], N at least 6\n');
    process.exit(2);
  }
  return reloads;
}
