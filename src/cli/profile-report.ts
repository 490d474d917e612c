import type { LatencyBar } from '../profiling/latency.js';
import type { HookProfile, PluginProfile } from '../profiling/profile.js';
import { type Column, printTable } from './print.js';
import { printable, type Screen } from './screen.js';

const BLOCKS = ' ▁▂▃▄▅▆▇█';
const NONE = '–';

type Cell = (profile: HookProfile) => string;
const column = (title: string, text: Cell, rank?: number): Column<HookProfile> => ({ title, text, rank });

const COLUMNS: readonly Column<HookProfile>[] = [
  column('hook', ({ hook }) => hook),
  column('p50', ({ latency }) => duration(latency?.p50Us)),
  column('p90', ({ latency }) => duration(latency?.p90Us), 3),
  column('p99', ({ latency }) => duration(latency?.p99Us)),
  column('p99.9', ({ latency }) => duration(latency?.p999Us), 2),
  column('latency', ({ latency }) => (latency === null ? '' : sparkline(latency.bars)), 4),
  column('calls/s', ({ load }) => (load === null ? NONE : thousands(load.callsPerSecond))),
  column('server cpu', ({ load }) => duration(load?.serverCpuUs), 1),
  column('plugin cpu', ({ load }) => duration(load?.pluginCpuUs), 1),
  column('memory', ({ growth }) => (growth === null ? NONE : perThousand(growth.bytesPer1000Calls))),
];

const NOTE: Column<HookProfile> = {
  title: 'note',
  text: ({ failures, growth }) => {
    if (failures !== null) return `${failures.calls} calls failed, the first with ${failures.message}`;
    return growth?.grows === true
      ? 'its memory grows with the calls: a leak, or a cache without a limit'
      : '';
  },
  style: ({ failures }) => (failures === null ? 'yellow' : 'red'),
};

/** Prints a row for each hook, and what the columns are. */
export function printProfile(screen: Screen, profile: PluginProfile): void {
  const { name, version, isolation, instances, requests, concurrency, durationMs, hooks } = profile;
  const processes = isolation === 'process' ? `, ${instances} process${instances === 1 ? '' : 'es'}` : '';
  screen.line(`${screen.style('bold', printable(`${name} ${version}`))}: ${isolation}${processes}`);
  if (hooks.length === 0) screen.line('it has no hooks');
  else printTable(screen, hooks, { columns: COLUMNS, note: NOTE });
  const seconds = durationMs / 1000;
  const how = [
    `${requests} different requests, ${seconds} s each`,
    'latency of one call at a time',
    `calls/s and CPU time per call with ${concurrency} under way`,
    'memory per 1,000 calls',
  ];
  screen.line(screen.style('dim', how.join('; ')));
}

/** Microseconds with a unit that keeps the number short. */
export function duration(us: number | null | undefined): string {
  if (us === null || us === undefined) return NONE;
  if (us < 1000) return `${three(us)} µs`;
  return us < 1_000_000 ? `${three(us / 1000)} ms` : `${three(us / 1_000_000)} s`;
}

function perThousand(bytes: number): string {
  const kib = Math.round(bytes / 1024);
  return kib === 0 ? '0 KiB' : `${kib > 0 ? '+' : '−'}${thousands(Math.abs(kib))} KiB`;
}

function three(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** From the fastest calls to the slowest; a call that happened shows, however rare. */
function sparkline(bars: readonly LatencyBar[]): string {
  const most = Math.max(...bars.map(({ calls }) => calls));
  const block = (calls: number): number => Math.ceil((calls / most) * (BLOCKS.length - 1));
  return bars.map(({ calls }) => BLOCKS[block(calls)]).join('');
}
