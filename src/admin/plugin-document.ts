import type { KeptRefusal, LimitsInForce, PluginStatus, PostMortem } from '../lifecycle/entry/status.js';
import {
  type SwapRecordDocument,
  swapDocument,
  type TrialDocument,
  trialDocument,
  type VersionDocument,
  versionDocument,
} from './version-document.js';

/** A plugin's status as JSON, for the admin API and for `plugin status --json`. */
export interface PluginDocument {
  name: string;
  state: PluginStatus['state'];
  reason: string | null;
  /** ISO 8601. */
  since: string;
  origin: PluginStatus['origin'];
  type: PluginStatus['type'];
  path: string | null;
  /** SHA-256 of the library, in hexadecimal. */
  digest: string | null;
  version: string | null;
  description: string | null;
  hooks: string[];
  /** all: the hooks run for every request; endpoints: for those of the endpoints that list the plugin. */
  hook_scope: PluginStatus['hookScope'];
  isolation: PluginStatus['isolation'];
  sandbox: { mode: PluginStatus['sandbox']['mode']; states: Record<string, string>; missing: string[] };
  /** Requested by the plugin but not granted by the configuration. */
  missing_permissions: string[];
  /** Operations that the sandbox refused, newest first. */
  refusals: RefusalDocument[];
  limits: LimitsDocument;
  critical: boolean;
  /** What happens to a request when the plugin fails or does not serve. */
  on_failure: PluginStatus['onFailure'];
  /** It has a before_request hook and is skipped on failure: when it fails, requests pass without it. */
  fails_open: boolean;
  /** Its before_request has denied a request with 401 or 403 since the plugin was loaded. */
  has_denied: boolean;
  priority: number;
  /** The bodies its hooks need. */
  body: { request: PluginStatus['body']['request']; response: PluginStatus['body']['response'] };
  /**
   * Position in the order of plugins that a request passes, from 1. Null for a plugin that no request passes.
   */
  order: number | null;
  needs: NeedDocument[];
  /** Plugins that depend on this one. */
  needed_by: { name: string; optional: boolean }[];
  circuit: PluginStatus['circuit'];
  /** By hook. */
  calls: Record<string, { calls: number; failed: number }>;
  processes: ProcessDocument[];
  /** Every version with processes, the serving one first. */
  versions: VersionDocument[];
  /** Null while there is only one version. */
  trial: TrialDocument | null;
  /** The result of the last swap that this server attempted. */
  last_swap: SwapRecordDocument | null;
  /** Newest first. */
  failures: FailureDocument[];
}

/** A dependency from the plugin's manifest. */
export interface NeedDocument {
  kind: 'plugin' | 'capability';
  name: string;
  /** A semver range. */
  version: string;
  optional: boolean;
  /** The plugin that provides it. Null when no plugin does, and for a disabled plugin. */
  provided_by: string | null;
}

/** The limits in force. 0 means unlimited, where the configuration allows that. */
export interface LimitsDocument {
  memory_bytes: number;
  /** Memory limit of the cgroup of each process. 0: no cgroup. */
  memory_cgroup_bytes: number;
  open_files: number;
  threads: number;
  file_size_bytes: number;
  /** CPU time of one call. */
  cpu_time_ms: number;
  idle_cpu_percent: number;
  concurrency: number;
  queue: number;
  /** Size of the largest frame that is sent to a process. 0 for an in-process plugin. */
  frame_bytes: number;
  reply_bytes: number;
  parsed_reply_bytes: number;
  log_bytes_per_second: number;
  kv_bytes: number;
}

export interface ProcessDocument {
  pid: number;
  /** Number of the server's worker. Null for a server with one process. */
  worker: number | null;
  state: string;
  started_at: string;
  calls: number;
  /** Null before the first measurement, and on systems that do not report it. */
  resident_bytes: number | null;
  threads: number | null;
  cpu_seconds: number | null;
}

export interface RefusalDocument {
  /** The permission that would allow the operation. Null when no permission does. */
  permission: string | null;
  function: string;
  /** Path or port. */
  object: string | null;
  times: number;
  last: string;
}

export interface FrameDocument {
  /** Library and offset. */
  at: string;
  /** Whether it is in the plugin's own library. */
  own: boolean;
  function: string | null;
  file: string | null;
  line: number | null;
}

export interface FailureDocument {
  time: string;
  outcome: string;
  code: string;
  message: string;
  phase: string;
  signal: string | null;
  exit_status: number | null;
  /** The innermost place in the plugin's own library. */
  at: string | null;
  /** The functions that were active when it crashed, innermost first. */
  backtrace: FrameDocument[];
  /** What the plugin's runtime wrote about the failure. */
  said: string | null;
  system_call: string | null;
  request_id: string | null;
  /** Last lines of stderr, oldest first. */
  stderr: string[];
  /** The limits in force at the failure. */
  limits: LimitsDocument;
}

/** Copies field by field, so that no new field of PluginStatus is published by accident. */
export function pluginDocument(plugin: PluginStatus): PluginDocument {
  const { mode, states, missing } = plugin.sandbox;
  return {
    name: plugin.name,
    state: plugin.state,
    reason: plugin.reason,
    since: plugin.since.toISOString(),
    origin: plugin.origin,
    type: plugin.type,
    path: plugin.path,
    digest: plugin.digest,
    version: plugin.version,
    description: plugin.description,
    hooks: [...plugin.hooks],
    hook_scope: plugin.hookScope,
    isolation: plugin.isolation,
    sandbox: { mode, states: { ...states }, missing: [...missing] },
    missing_permissions: [...plugin.missingPermissions],
    refusals: plugin.refusals.map(refusalDocument),
    limits: limitsDocument(plugin.limits),
    critical: plugin.critical,
    on_failure: plugin.onFailure,
    fails_open: plugin.failsOpen,
    has_denied: plugin.hasDenied,
    priority: plugin.priority,
    body: { ...plugin.body },
    order: plugin.order,
    needs: plugin.needs.map(needDocument),
    needed_by: plugin.neededBy.map(({ name, optional }) => ({ name, optional })),
    circuit: plugin.circuit,
    calls: { ...plugin.calls },
    processes: plugin.processes.map(processDocument),
    versions: plugin.versions.map(versionDocument),
    trial: trialDocument(plugin.trial),
    last_swap: plugin.lastSwap === null ? null : swapDocument(plugin.lastSwap),
    failures: plugin.failures.map(failureDocument),
  };
}

function needDocument({
  kind,
  name,
  version,
  optional,
  provider,
}: PluginStatus['needs'][number]): NeedDocument {
  return { kind, name, version, optional, provided_by: provider };
}

function refusalDocument(refusal: KeptRefusal): RefusalDocument {
  const { permission, function: name, object, times, last } = refusal;
  return { permission, function: name, object, times, last: last.toISOString() };
}

function limitsDocument(limits: LimitsInForce): LimitsDocument {
  return {
    memory_bytes: limits.memoryBytes,
    memory_cgroup_bytes: limits.memoryCgroupBytes,
    open_files: limits.openFiles,
    threads: limits.threads,
    file_size_bytes: limits.fileSizeBytes,
    cpu_time_ms: limits.callCpuMs,
    idle_cpu_percent: limits.idleCpuPercent,
    concurrency: limits.concurrency,
    queue: limits.queue,
    frame_bytes: limits.frameBytes,
    reply_bytes: limits.replyBytes,
    parsed_reply_bytes: limits.parsedReplyBytes,
    log_bytes_per_second: limits.logBytesPerSecond,
    kv_bytes: limits.kvBytes,
  };
}

function processDocument({
  pid,
  worker,
  state,
  startedAt,
  calls,
  usage,
}: PluginStatus['processes'][number]): ProcessDocument {
  return {
    pid,
    worker: worker ?? null,
    state,
    started_at: startedAt.toISOString(),
    calls,
    resident_bytes: usage?.residentBytes ?? null,
    threads: usage?.threads ?? null,
    cpu_seconds: seconds(usage?.cpuMs ?? null),
  };
}

function seconds(milliseconds: number | null): number | null {
  return milliseconds === null ? null : milliseconds / 1000;
}

function failureDocument(failure: PostMortem): FailureDocument {
  const { outcome, code, message, phase, signal, at } = failure;
  return {
    time: failure.time.toISOString(),
    outcome,
    code,
    message,
    phase,
    signal,
    exit_status: failure.exitStatus,
    at,
    backtrace: failure.backtrace.map((frame) => ({ ...frame })),
    said: failure.said,
    system_call: failure.systemCall,
    request_id: failure.requestId,
    stderr: [...failure.stderr],
    limits: limitsDocument(failure.limits),
  };
}
