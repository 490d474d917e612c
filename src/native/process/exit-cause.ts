import { type ProcessEnd } from './child-process.js';
import { PluginFailure, type PluginFailureDetails, type PluginPhase } from '../../errors.js';
import { crashFrames, decisiveFrame, type LibraryNames } from './crash-place.js';
import type { CrashReport } from './crash-report.js';
import { isAnyThreadComputing, type ThreadActivity, threadActivity } from './limits/process-usage.js';
import { RUNNER_EXIT } from '../protocol/protocol.js';

/** Why the server ended a runner; null when the server did not. */
export type KillReason =
  | { readonly kind: 'deadline'; readonly activity?: ThreadActivity }
  | { readonly kind: 'cpu_time'; readonly usedMs: number; readonly limitMs: number; readonly calls: number }
  | { readonly kind: 'memory'; readonly bytes: number }
  | { readonly kind: 'threads'; readonly threads: number; readonly limit: number }
  | { readonly kind: 'protocol'; readonly message: string }
  | { readonly kind: 'version'; readonly message: string }
  /** It sent a crash report, which must be the last frame of a process, and kept running. */
  | { readonly kind: 'crash_report' }
  | null;

/**
 * Adds to a deadline what the process is doing at this moment.
 * @param thread the thread that runs the call; null for the process's first thread
 */
export function withActivity(reason: KillReason, pid: number, thread: number | null): KillReason {
  if (reason?.kind !== 'deadline') return reason;
  const activity = threadActivity(pid, thread ?? pid);
  if (activity === null) return reason;
  // The first thread may be waiting for another thread.
  const isElsewhere = thread === null && isAnyThreadComputing(pid);
  return { kind: 'deadline', activity: isElsewhere ? 'computing' : activity };
}

/** Signals of the processor: a panic that was written before, and caught, is not their cause. */
const FAULTS: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGSYS', 'SIGKILL']);

export interface EndFacts {
  readonly plugin: string;
  /** What the process was doing. */
  readonly phase: PluginPhase;
  /** The request it was working on. */
  readonly requestId: string | undefined;
  readonly end: ProcessEnd;
  readonly killed: KillReason;
  readonly crash: CrashReport | null;
  readonly stderrTail: readonly string[];
  /** Why its runtime ended it, if it said so. */
  readonly said: string | null;
  /** File names for places in the plugin's own library. */
  readonly library: LibraryNames;
}

/**
 * The failure that explains why a process ended. The phase decides, never the exit code alone: a plugin
 * that calls exit(0) inside a hook has failed.
 */
export function explainEnd(facts: EndFacts): PluginFailure {
  const { phase, requestId, stderrTail } = facts;
  const during = phase === 'idle' ? 'between calls' : `during ${phase}`;
  const details = { plugin: facts.plugin, phase, requestId, stderrTail: [...stderrTail] };
  // A process that crashes in several threads may send more than one report before its signal ends it.
  const crashed = facts.killed?.kind === 'crash_report' && facts.end.signal !== 'SIGKILL';
  if (facts.killed !== null && !crashed)
    return explainKill(facts.plugin, during, facts.killed, details, facts.crash);
  return facts.end.signal === null
    ? explainExit(facts, during, details)
    : explainCrash(facts, during, details);
}

function explainKill(
  plugin: string,
  during: string,
  killed: NonNullable<KillReason>,
  details: PluginFailureDetails,
  crash: CrashReport | null,
): PluginFailure {
  switch (killed.kind) {
    case 'deadline': {
      const message = `plugin ${plugin} was stopped at its deadline ${during}${whileDoing(killed.activity)}`;
      const hint = 'raise timeouts in its configuration if the work is legitimate';
      return new PluginFailure('BW_PLUGIN_TIMEOUT', message, { ...details, signal: 'SIGKILL', hint });
    }
    case 'cpu_time': {
      const { usedMs, limitMs, calls } = killed;
      const used = `it used ${seconds(usedMs)} of CPU time in ${calls === 1 ? 'one call' : `${calls} calls`}`;
      const allowed = `limits.cpu_time allows ${limitMs / 1000} s${calls === 1 ? '' : ' each'}`;
      const message = `plugin ${plugin} was stopped ${during}: ${used}, ${allowed}`;
      const hint = 'raise limits.cpu_time in its configuration if the work is legitimate';
      return new PluginFailure('BW_PLUGIN_TIMEOUT', message, { ...details, signal: 'SIGKILL', hint });
    }
    case 'memory':
      return outOfMemory(`plugin ${plugin} was stopped ${during}: it held ${killed.bytes} bytes`, details);
    case 'threads': {
      const message = `plugin ${plugin} was stopped ${during}: it had ${killed.threads} threads, the limit is ${killed.limit}`;
      const hint = 'raise limits.threads if it needs more';
      return new PluginFailure('BW_PLUGIN_THREADS', message, { ...details, signal: 'SIGKILL', hint });
    }
    case 'crash_report': {
      const claimed = crash?.signal ?? 'a signal';
      const message = `plugin ${plugin} reported a crash by ${claimed} ${during} and kept running; the server killed it`;
      return new PluginFailure('BW_PLUGIN_CRASHED', message, { ...details, signal: 'SIGKILL' });
    }
    case 'version':
      return new PluginFailure('BW_RUNNER_VERSION', killed.message, details);
    case 'protocol': {
      const message = `plugin ${plugin} broke the runner protocol ${during}: ${killed.message}`;
      return new PluginFailure('BW_PLUGIN_PROTOCOL', message, details);
    }
  }
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(milliseconds < 1000 ? 2 : 1)} s`;
}

function whileDoing(activity: ThreadActivity | undefined): string {
  if (activity === undefined) return '';
  return activity === 'halted' ? ', halted by a signal' : `, while ${activity}`;
}

function explainCrash(facts: EndFacts, during: string, known: PluginFailureDetails): PluginFailure {
  const { plugin, end, crash, library } = facts;
  const signal = end.signal ?? undefined;
  const backtrace = crash === null ? [] : crashFrames(crash.places, library);
  const said = FAULTS.has(String(signal)) ? undefined : (facts.said ?? undefined);
  const details = { ...known, backtrace, said };
  if (end.outOfMemory === true) {
    const message = `plugin ${plugin} was killed by the system ${during}: it used more than limits.memory allows`;
    return outOfMemory(message, { ...details, signal });
  }
  const systemCall = crash?.systemCall ?? undefined;
  const at = decisiveFrame(backtrace)?.at;
  const place = at === undefined ? '' : ` at ${at}`;
  if (signal === 'SIGSYS') {
    const call = systemCall ?? 'a system call';
    const message = `plugin ${plugin} was killed ${during}${place}: its sandbox forbids ${call}`;
    return new PluginFailure('BW_PLUGIN_VIOLATION', message, { ...details, signal, at, systemCall });
  }
  const message = `plugin ${plugin} crashed with ${String(signal)} ${during}${place}`;
  if (crash?.memoryLow === true) {
    return outOfMemory(`${message}, with little memory left`, { ...details, signal, at });
  }
  return new PluginFailure('BW_PLUGIN_CRASHED', message, { ...details, signal, at });
}

function explainExit(
  { plugin, end, said }: EndFacts,
  during: string,
  details: PluginFailureDetails,
): PluginFailure {
  const known = end.code === null ? undefined : RUNNER_EXIT[end.code];
  const how = known ?? `it ended its process with exit code ${end.code ?? 'unknown'}`;
  return new PluginFailure('BW_PLUGIN_EXITED', `plugin ${plugin} exited ${during}: ${how}`, {
    ...details,
    exitStatus: end.code ?? undefined,
    // A process that ends itself with 0 does not end because of a panic that it caught before.
    said: end.code === 0 ? undefined : (said ?? undefined),
  });
}

function outOfMemory(message: string, details: PluginFailureDetails): PluginFailure {
  const hint = 'raise limits.memory if it needs more';
  return new PluginFailure('BW_PLUGIN_MEMORY', message, { ...details, hint });
}
