import { PluginFailure, type PluginPhase } from '../errors.js';
import type { CrashReport } from './crash-report.js';
import { RUNNER_EXIT } from './protocol.js';

/** How a runner process ended, as the operating system tells it. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Why the server ended a runner itself; null when it did not. */
export type KillReason =
  | { readonly kind: 'deadline' }
  | { readonly kind: 'protocol'; readonly message: string }
  | { readonly kind: 'version'; readonly message: string }
  | null;

export interface EndFacts {
  readonly plugin: string;
  /** What the process was doing. */
  readonly phase: PluginPhase;
  readonly end: ProcessEnd;
  readonly killed: KillReason;
  readonly crash: CrashReport | null;
  readonly stderrTail: readonly string[];
}

/**
 * The failure behind a process that is gone. Judged by what was going on, never by exit code alone:
 * a plugin that calls exit(0) inside a hook has failed.
 */
export function explainEnd({ plugin, phase, end, killed, crash, stderrTail }: EndFacts): PluginFailure {
  const during = phase === 'idle' ? 'between calls' : `during ${phase}`;
  const details = { plugin, phase, stderrTail: [...stderrTail] };
  if (killed?.kind === 'deadline') {
    return new PluginFailure('BW_PLUGIN_TIMEOUT', `plugin ${plugin} was stopped at its deadline ${during}`, {
      ...details,
      signal: 'SIGKILL',
      hint: 'raise timeouts in its configuration if the work is legitimate',
    });
  }
  if (killed?.kind === 'version') return new PluginFailure('BW_RUNNER_VERSION', killed.message, details);
  if (killed?.kind === 'protocol') {
    const message = `plugin ${plugin} broke the runner protocol ${during}: ${killed.message}`;
    return new PluginFailure('BW_PLUGIN_PROTOCOL', message, details);
  }
  if (end.signal !== null) {
    const place = crash?.at ?? null;
    const at = place === null ? '' : ` at ${place}`;
    const message = `plugin ${plugin} crashed with ${end.signal} ${during}${at}`;
    return new PluginFailure('BW_PLUGIN_CRASHED', message, { ...details, signal: end.signal });
  }
  const known = end.code === null ? undefined : RUNNER_EXIT[end.code];
  const how = known ?? `it ended its process with exit code ${end.code ?? 'unknown'}`;
  return new PluginFailure('BW_PLUGIN_EXITED', `plugin ${plugin} exited ${during}: ${how}`, {
    ...details,
    exitStatus: end.code ?? undefined,
  });
}
