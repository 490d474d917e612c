import { hostname } from 'node:os';
import type { AlertEvent } from '../config/types.js';
import type { PostMortem, StateChange } from '../lifecycle/entry/status.js';

/** The JSON document that the webhook receives. docs/alerts.md explains every member. */
export interface Alert {
  /** Version of the document's format. */
  version: 1;
  event: AlertEvent;
  /** When the plugin entered `to`; ISO 8601. */
  time: string;
  server: AlertingServer;
  plugin: string;
  critical: boolean;
  /** The state before `to`, even if no alert reported it. */
  from: StateChange['state'];
  to: StateChange['state'];
  reason: string | null;
  code: string | null;
  /** Number of changes for better or worse since the last alert, including the change to `to`. */
  changes: number;
  failure: AlertFailure | null;
}

export interface AlertingServer {
  name: string;
  version: string;
  backworks: string;
  host: string;
}

/** A post-mortem without the plugin's own output: output may contain secrets, and alerts leave the machine. */
export interface AlertFailure {
  time: string;
  outcome: string;
  code: string;
  phase: string;
  signal: string | null;
  exit_status: number | null;
  at: string | null;
  system_call: string | null;
  request_id: string | null;
}

/** An alert about one plugin, without the facts about the server. */
export interface PluginAlert {
  readonly event: AlertEvent;
  readonly from: StateChange['state'];
  readonly change: StateChange;
  readonly changes: number;
  /** The newest failure since the last alert. */
  readonly failure: PostMortem | null;
}

/** @param backworks version of Backworks */
export function alertingServer(config: { name: string; version: string }, backworks: string): AlertingServer {
  return { name: config.name, version: config.version, backworks, host: hostname() };
}

/** Copies member by member, so that no internal field leaks into an alert. */
export function alertDocument(
  { event, from, change, changes, failure }: PluginAlert,
  server: AlertingServer,
): Alert {
  return {
    version: 1,
    event,
    time: change.time.toISOString(),
    server,
    plugin: change.plugin,
    critical: change.critical,
    from,
    to: change.state,
    reason: change.reason,
    code: change.code,
    changes,
    failure: failure === null ? null : failureDocument(failure),
  };
}

function failureDocument(failure: PostMortem): AlertFailure {
  const { outcome, code, phase, signal, at } = failure;
  return {
    time: failure.time.toISOString(),
    outcome,
    code,
    phase,
    signal,
    exit_status: failure.exitStatus,
    at,
    system_call: failure.systemCall,
    request_id: failure.requestId,
  };
}
