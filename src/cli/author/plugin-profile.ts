import { access, constants, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { profileLibrary, profilePlugin } from '../../backworks.js';
import { BackworksError, EXIT } from '../../errors.js';
import type { LatencySummary } from '../../profiling/latency.js';
import type { HookProfile, PluginProfile, ProfileSettings } from '../../profiling/profile.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { readConfig } from '../command/config-file.js';
import { isLibraryPath } from '../command/library-path.js';
import { printJson } from '../terminal/print.js';
import { latencyChart } from './profile-chart.js';
import { printProfile } from './profile-report.js';

export interface ProfileArguments {
  /** File with recorded requests. When absent, requests are generated. */
  readonly requests?: string;
  /** SVG file for a chart of where the time of calls goes. */
  readonly svg?: string;
  readonly seconds: string;
  readonly concurrency: string;
}

const SECONDS_MAX = 3600;
const CONCURRENCY_MAX = 1024;

/** `backworks plugin profile NAME|PATH`: measures the cost of each hook and looks for leaks. */
export async function pluginProfile(
  context: CommandContext,
  which: string,
  given: ProfileArguments,
): Promise<ExitCode> {
  const { out, err } = context;
  const stop = new AbortController();
  const settings: ProfileSettings = {
    recording: given.requests === undefined ? null : resolve(given.requests),
    durationMs: amount('--seconds', given.seconds, SECONDS_MAX) * 1000,
    concurrency: Math.ceil(amount('--concurrency', given.concurrency, CONCURRENCY_MAX)),
    signal: stop.signal,
    onHook: (hook) => err.line(err.style('dim', `measuring ${hook} …`)),
  };
  // Check before minutes of measuring, not after.
  if (given.svg !== undefined) await writing(given.svg, access(dirname(resolve(given.svg)), constants.W_OK));
  // Results up to an interrupt are worth printing.
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt);
  try {
    const profile = isLibraryPath(which)
      ? await profileLibrary(resolve(which), settings)
      : await profilePlugin((await readConfig(context)).config, which, settings, context.env);
    if (context.json) printJson(out, profileDocument(profile));
    else printProfile(out, profile);
    if (given.svg !== undefined) await writing(given.svg, writeFile(given.svg, latencyChart(profile)));
    return profile.hooks.some(({ failures }) => failures !== null) ? EXIT.plugin : EXIT.ok;
  } finally {
    process.removeListener('SIGINT', interrupt);
  }
}

/** @throws BackworksError BW_USAGE */
function amount(option: string, text: string, max: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= max) return value;
  const message = `${option} expects a number above 0 and up to ${max}, not ${JSON.stringify(text)}`;
  throw new BackworksError('BW_USAGE', message);
}

/** @throws BackworksError BW_USAGE when the file cannot be written */
async function writing(file: string, step: Promise<void>): Promise<void> {
  try {
    await step;
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    throw new BackworksError('BW_USAGE', `${file} cannot be written (${code})`, { cause });
  }
}

/** Converts to snake_case, like every document for programs. */
function profileDocument({ hooks, durationMs, deadlineMs, notDriven, ...profile }: PluginProfile): object {
  return {
    ...profile,
    duration_ms: durationMs,
    deadline_ms: deadlineMs,
    hooks: hooks.map(hookDocument),
    not_driven: notDriven,
  };
}

function hookDocument({ hook, times, load, growth, ...calls }: HookProfile): object {
  return {
    hook,
    calls: calls.calls,
    null_answers: calls.nullAnswers,
    late: calls.late,
    failures: calls.failures,
    call_us: times && latencyDocument(times.call),
    plugin_us: times && latencyDocument(times.plugin),
    host_us: times && latencyDocument(times.host),
    load: load && {
      calls_per_second: load.callsPerSecond,
      server_cpu_us: load.serverCpuUs,
      plugin_cpu_us: load.pluginCpuUs,
    },
    out_of_memory: calls.outOfMemory,
    memory: growth && { bytes_per_1000_calls: growth.bytesPer1000Calls, grows: growth.grows },
  };
}

function latencyDocument({
  calls,
  meanUs,
  p50Us,
  p90Us,
  p99Us,
  p999Us,
  maxUs,
  bars,
}: LatencySummary): object {
  return {
    calls,
    mean: meanUs,
    p50: p50Us,
    p90: p90Us,
    p99: p99Us,
    'p99.9': p999Us,
    max: maxUs,
    bars: bars.map((bar) => ({ from: bar.fromUs, to: bar.toUs, calls: bar.calls })),
  };
}
