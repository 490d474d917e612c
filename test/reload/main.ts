/**
 * `npm run test:reload -- --reloads N`: consecutive reloads under load from 64 connections. No request may fail,
 * every answer must come from a configuration that was active during the request, and no process or descriptor
 * may leak.
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
  restarted: compilePlugin('config_echo'),
  reconfigured: compilePlugin('reconfigurable'),
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

/** Kinds of changes. Every reload makes one of them, besides the new generation. */
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

/** The configuration of a generation. The last reload returns to generation 0. */
function configuration(generation: number): string {
  const variant: Variant = generation === 0 ? {} : (VARIANTS[generation % VARIANTS.length] ?? {});
  const patient = variant.policy ?? 'timeouts: { call: 5s }';
  const tag = `tag: { path: ${library.tag}, config: { tag: a, other: ${variant.tag ?? 'same'} }, ${patient} }`;
  const rest = [
    `restarted: { path: ${library.restarted}, config: { generation: ${generation} }, timeouts: { call: 5s } }`,
    `reconfigured: { path: ${library.reconfigured}, config: { generation: ${generation} }, instances: ${variant.instances ?? 1}, timeouts: { call: 5s } }`,
    ...(variant.extra === true
      ? [`extra: { path: ${library.tag}, config: { tag: b }, timeouts: { call: 5s } }`]
      : []),
  ];
  const plugins = variant.order === undefined ? [...rest, tag] : [tag, ...rest];
  return `
endpoints:
  static: { path: /static, response: { body: { generation: ${generation} } } }
  restarted: { path: /restarted, plugin: restarted }
  reconfigured: { path: /reconfigured, plugin: reconfigured }
  ${variant.endpoint === true ? 'more: { path: /more, plugin: reconfigured }' : ''}
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
  expectThat('the server exited with code 0', code === 0, `exit code ${code}`);
}
process.exitCode = allHeld() ? 0 : 1;

async function reloadUnderLoad(): Promise<void> {
  title(`${reloads} reloads under load from ${CONNECTIONS} connections`);
  const generations = { active: 0, written: 0 };
  // A first reload allocates once what stays for good, so that it does not count as a leak.
  await server.reload(configuration(0));
  const before = await atRest(() => true);
  const traffic = new ReloadTraffic(server.url, CONNECTIONS, generations);
  const durations: number[] = [];
  const actions = new Map<string, number>();
  const failed: string[] = [];
  for (let reload = 1; reload <= reloads; reload += 1) {
    generations.written = reload;
    const report = await server.reload(configuration(reload));
    generations.active = reload;
    durations.push(report.duration_ms);
    failed.push(...report.failed.map(({ message }) => message));
    for (const { action } of report.plugins) actions.set(action, (actions.get(action) ?? 0) + 1);
    await pause(Math.random() * GAP_MS_MAX);
  }
  await traffic.stop();
  // Return to the first configuration, so that processes and descriptors can be compared.
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
  expectThat('every plugin started', failed.length === 0, failed[0] ?? '');
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

/** Samples the server until two samples in a row are equal and `isRest` holds, or until a time limit. */
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
