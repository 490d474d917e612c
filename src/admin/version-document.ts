import type { PluginStatus, VersionStatus } from '../lifecycle/entry/status.js';
import type { SwapRecord } from '../lifecycle/entry/swap-record.js';
import type { PluginRecord } from '../lifecycle/records/version-history.js';

/** One attempt to replace a version with another. */
export interface SwapRecordDocument {
  /** ISO 8601. */
  time: string;
  by: SwapRecord['by'];
  outcome: SwapRecord['outcome'];
  from: VersionNameDocument;
  to: VersionNameDocument;
  reason: string | null;
  /** Milliseconds by step. */
  steps: Record<string, number>;
}

interface VersionNameDocument {
  digest: string | null;
  version: string | null;
}

/** Two versions that run at the same time. */
export interface TrialDocument {
  stage: 'canary' | 'probation';
  /** ISO 8601. */
  until: string;
  percent: number;
}

export interface VersionDocument {
  role: VersionStatus['role'];
  version: string;
  digest: string;
  calls: number;
  /** Calls without a usable answer, or with a status of 500 or more. */
  failed: number;
  /** Mean duration in milliseconds. Null before the first call. */
  mean_ms: number | null;
  crashes: number;
  pids: number[];
}

/** The answer of GET /plugins/:name/history, and the output of `plugin history --json`. */
export interface HistoryDocument {
  plugin: string;
  versions: { digest: string; version: string; since: string }[];
  refused: { digest: string; reason: string; since: string }[];
  history: SwapRecordDocument[];
}

export function trialDocument(trial: PluginStatus['trial']): TrialDocument | null {
  return trial === null
    ? null
    : { stage: trial.stage, until: trial.until.toISOString(), percent: trial.percent };
}

export function versionDocument(status: VersionStatus): VersionDocument {
  const { role, version, digest, calls, failed, busyMs, crashes, processes } = status;
  return {
    role,
    version,
    digest,
    calls,
    failed,
    mean_ms: calls === 0 ? null : Math.round((busyMs / calls) * 1000) / 1000,
    crashes,
    pids: processes.map(({ pid }) => pid),
  };
}

export function swapDocument({ time, by, outcome, from, to, reason, steps }: SwapRecord): SwapRecordDocument {
  return { time, by, outcome, from: { ...from }, to: { ...to }, reason, steps: { ...steps } };
}

export function historyDocument(
  plugin: string,
  { versions, refused, history }: PluginRecord,
): HistoryDocument {
  return {
    plugin,
    versions: versions.map(({ digest, version, since }) => ({ digest, version, since })),
    refused: refused.map(({ digest, reason, since }) => ({ digest, reason, since })),
    history: history.map(swapDocument),
  };
}
