import type { LatencySummary } from '../../profiling/latency.js';
import type { HookProfile, PluginProfile } from '../../profiling/profile.js';
import { type Column, printTable } from '../terminal/print.js';
import { scaleOf, sparkline, type TimeScale } from './profile-distribution.js';
import { oneLine } from '../../printable.js';
import { type Screen } from '../terminal/screen.js';

/** Wide enough for both tables. Limits the width when output is not a terminal. */
const WIDTH_MAX = 100;
const DISTRIBUTION_WIDTH = 30;
const NONE = '–';
const IN_PROCESS =
  "in-process, CPU time and memory of the plugin are part of the server's and cannot be measured separately";

/** A row of the first table: the total time of a hook's calls, or a part of it. */
interface Share {
  /** Empty in the rows below the hook's first. */
  readonly hook: string;
  readonly time: 'call' | 'plugin' | 'host';
  readonly latency: LatencySummary | undefined;
  readonly scale: TimeScale | null;
}

const percentile = (
  title: string,
  of: (latency: LatencySummary) => number,
  rank?: number,
): Column<Share> => ({
  title,
  text: ({ latency }) => duration(latency && of(latency)),
  rank,
});

const SHARES: readonly Column<Share>[] = [
  { title: 'hook', text: ({ hook }) => hook },
  { title: 'time', text: ({ time }) => time },
  percentile('p50', ({ p50Us }) => p50Us),
  percentile('p90', ({ p90Us }) => p90Us, 2),
  percentile('p99', ({ p99Us }) => p99Us),
  percentile('p99.9', ({ p999Us }) => p999Us, 1),
  {
    title: 'distribution',
    text: ({ latency, scale }) =>
      latency && scale ? sparkline(latency.bars, scale, DISTRIBUTION_WIDTH) : '',
    rank: 3,
  },
];

const LOAD: readonly Column<HookProfile>[] = [
  { title: 'hook', text: ({ hook }) => hook },
  { title: 'calls/s', text: ({ load }) => (load === null ? NONE : thousands(load.callsPerSecond)) },
  { title: 'server cpu', text: ({ load }) => duration(load?.serverCpuUs) },
  { title: 'plugin cpu', text: ({ load }) => duration(load?.pluginCpuUs) },
  { title: 'memory', text: ({ growth }) => (growth === null ? NONE : perThousand(growth.bytesPer1000Calls)) },
];

const NO_NOTE: Column<Share> = { title: 'note', text: () => '' };

/** What a plugin author should know about the hook. */
const note = (deadlineMs: number): Column<HookProfile> => ({
  title: 'note',
  text: (profile) => remarks(profile, deadlineMs).join('; '),
  style: ({ failures }) => (failures === null ? 'yellow' : 'red'),
});

/** Prints where the time of each hook's calls goes, what calls cost under load, and a legend. */
export function printProfile(screen: Screen, profile: PluginProfile): void {
  const { name, version, isolation, instances, hooks } = profile;
  const processes = isolation === 'process' ? `, instances: ${instances}` : '';
  screen.line(`${screen.style('bold', oneLine(`${name} ${version}`))} (isolation: ${isolation}${processes})`);
  if (hooks.length === 0) {
    screen.line('the plugin has no hooks');
    return;
  }
  const page = { ...screen, width: Math.min(screen.width, WIDTH_MAX) };
  const scale = scaleOf(hooks.flatMap(({ times }) => times ?? []));
  screen.line();
  printTable(
    page,
    hooks.flatMap((hook) => shares(hook, scale)),
    { columns: SHARES, note: NO_NOTE },
  );
  screen.line();
  printTable(page, hooks, { columns: LOAD, note: note(profile.deadlineMs) });
  screen.line();
  for (const line of legend(profile, scale)) screen.line(screen.style('dim', line));
}

function remarks(profile: HookProfile, deadlineMs: number): string[] {
  const { hook, calls, nullAnswers, late, failures, times, growth, outOfMemory } = profile;
  const found: string[] = [];
  if (failures !== null) {
    const hint = failures.hint === null ? '' : ` — ${failures.hint}`;
    const share = `${thousands(failures.calls)} of ${thousands(calls)}`;
    found.push(`${share} calls failed, the first: ${failures.message}${hint}`);
  }
  if (late > 0 && times !== null) {
    const share = `${thousands(late)} of ${thousands(times.call.calls)}`;
    const deadline = `timeouts.call (${duration(deadlineMs * 1000)})`;
    // On a busy machine this may not be the plugin's fault.
    found.push(
      `${share} calls took longer than ${deadline}; the plugin's own function took up to ${duration(times.plugin.maxUs)}`,
    );
  }
  if (growth?.grows === true)
    found.push('memory grows with the number of calls: a leak, or an unbounded cache');
  if (outOfMemory > 0) {
    const each = thousands(calls / outOfMemory);
    found.push(`limits.memory was exceeded ${thousands(outOfMemory)} times, every ${each} calls on average`);
  }
  if (hook === 'process_endpoint' && calls > 0 && nullAnswers === calls)
    found.push('the plugin answered none of the requests: pass recorded requests with --requests');
  return found;
}

function shares({ hook, times }: HookProfile, scale: TimeScale | null): Share[] {
  return [
    { hook, time: 'call', latency: times?.call, scale },
    { hook: '', time: 'plugin', latency: times?.plugin, scale },
    { hook: '', time: 'host', latency: times?.host, scale },
  ];
}

function legend(profile: PluginProfile, scale: TimeScale | null): string[] {
  const { isolation, requests, concurrency, durationMs, notDriven } = profile;
  const range =
    scale === null
      ? []
      : [`distribution: logarithmic, from ${duration(scale.fromUs)} to ${duration(scale.toUs)}`];
  return [
    'call: total time as the server sees it, one call at a time; plugin: the part in its own function',
    'host: the rest, which is the transport and all checks',
    ...range,
    `calls/s and CPU time per call: with ${concurrency} calls in flight; memory: growth per 1,000 calls`,
    ...(isolation === 'in-process' ? [IN_PROCESS] : []),
    `${requests} different requests, ${durationMs / 1000} s per measurement`,
    ...(notDriven.length > 0 ? [`stopped early: ${notDriven.join(' and ')} not measured`] : []),
  ];
}

/** Formats microseconds with a unit that keeps the number short. */
export function duration(us: number | null | undefined): string {
  if (us === null || us === undefined) return NONE;
  if (us < 1) return `${three(us * 1000)} ns`;
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
