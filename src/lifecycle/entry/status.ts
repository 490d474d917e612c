import type { BodyUse } from '../../plugins/body-use.js';
import type { FailurePolicy, HookScope, Isolation, ResourceLimits, SandboxMode } from '../../config/types.js';
import type { CrashFrame, ErrorCode, PluginOutcome, PluginPhase } from '../../errors.js';
import type { CircuitStateName } from '../../execution/executor.js';
import type { NativeProcess, RefusedPermission } from '../../native/plugin.js';
import type { PluginRelations } from '../dependencies/relations.js';
import type { PipelineHook } from '../../plugins/metadata.js';
import type { CallStats } from '../../plugins/call-stats.js';
import type { PluginState } from './plugin-state.js';
import type { SwapRecord } from './swap-record.js';
import type { TrialStage } from './trial.js';

/** Everything an operator can see about a plugin, in `plugin list` and in the admin API. */
export interface PluginStatus extends PluginRelations {
  readonly name: string;
  readonly state: PluginState;
  /** Why the plugin is in this state, or null. */
  readonly reason: string | null;
  /** When the plugin entered the state. */
  readonly since: Date;
  /** `config` for an explicit entry, `discovered` for a library found in a directory. */
  readonly origin: 'config' | 'discovered';
  readonly type: 'external' | 'builtin' | 'marketplace';
  readonly path: string | null;
  /** The version from the plugin's metadata; null until the metadata was read. */
  readonly version: string | null;
  readonly description: string | null;
  readonly hooks: readonly PipelineHook[];
  readonly isolation: Isolation;
  readonly critical: boolean;
  readonly onFailure: FailurePolicy;
  readonly hookScope: HookScope;
  /** It has a before_request hook and is skipped on failure: when it fails, requests pass without it. */
  readonly failsOpen: boolean;
  /** Its before_request has denied a request with 401 or 403 since the plugin was loaded. */
  readonly hasDenied: boolean;
  readonly priority: number;
  /** The bodies its hooks need. */
  readonly body: BodyUse;
  readonly circuit: CircuitStateName;
  readonly calls: Readonly<Record<string, { readonly calls: number; readonly failed: number }>>;
  readonly processes: readonly PluginProcess[];
  /** SHA-256 of the library in use; null until a library was loaded. */
  readonly digest: string | null;
  readonly sandbox: {
    readonly mode: SandboxMode;
    /** Mechanism → state, as the runner reported after testing itself; empty until then. */
    readonly states: Readonly<Record<string, string>>;
    /** Protections that the system does not support; empty under `strict`. */
    readonly missing: readonly string[];
  };
  /** Permissions that the manifest requests and the configuration does not grant. */
  readonly missingPermissions: readonly string[];
  /** Operations that the sandbox refused, newest first. */
  readonly refusals: readonly KeptRefusal[];
  readonly limits: LimitsInForce;
  /** The running canary or probation, or null. */
  readonly trial: TrialStatus | null;
  /** Every version that has processes; the serving version comes first. */
  readonly versions: readonly VersionStatus[];
  /** The last swap since the server started, or null. */
  readonly lastSwap: SwapRecord | null;
  /** The newest failures of its processes, newest first. */
  readonly failures: readonly PostMortem[];
}

/** The status of a plugin without its relations to other plugins. */
export type OwnStatus = Omit<PluginStatus, keyof PluginRelations>;

/**
 * The effective limits of a plugin's processes. The system may have lowered them below the configured values. 0
 * means no limit.
 */
export interface LimitsInForce extends ResourceLimits {
  /** Memory limit of each process's cgroup, which also counts the kernel's memory for the process. */
  readonly memoryCgroupBytes: number;
  /** Longest frame that is sent to a process. */
  readonly frameBytes: number;
}

/** An operation that the sandbox refused a plugin, in any of its processes. */
export interface KeptRefusal {
  /** The permission that would allow the operation; null if none does. */
  readonly permission: RefusedPermission;
  readonly function: string;
  /** Path or port, or null. */
  readonly object: string | null;
  readonly times: number;
  readonly last: Date;
}

/** A process of a plugin. */
export interface PluginProcess extends NativeProcess {
  /** The number of the worker that owns the process; absent without workers. */
  readonly worker?: number;
}

/** A plugin entered a state, or stays in the state for another reason. */
export interface StateChange {
  readonly plugin: string;
  readonly critical: boolean;
  readonly state: PluginState;
  readonly reason: string | null;
  /** Code of the error that caused the change, or null. */
  readonly code: ErrorCode | null;
  readonly time: Date;
  /** The failure of a process that caused the change, or null. */
  readonly failure: PostMortem | null;
}

/** A running canary or probation. */
export interface TrialStatus {
  readonly stage: TrialStage;
  readonly until: Date;
  /** Percentage of new requests that the canary gets; 0 in a probation. */
  readonly percent: number;
}

/**
 * - serving: gets the requests
 * - canary: gets a share of the requests
 * - standby: serves again if the serving version fails its probation
 * - leaving: finishes its requests in flight
 */
export type VersionRole = 'serving' | 'canary' | 'standby' | 'leaving';

/** A version of a plugin that has processes, with its call statistics. */
export interface VersionStatus extends CallStats {
  readonly role: VersionRole;
  readonly version: string;
  readonly digest: string;
  readonly processes: readonly PluginProcess[];
}

/** The facts about a process that failed. */
export interface PostMortem {
  readonly time: Date;
  readonly outcome: PluginOutcome;
  readonly code: ErrorCode;
  readonly message: string;
  readonly phase: PluginPhase;
  readonly signal: string | null;
  readonly exitStatus: number | null;
  /**
   * Library and offset, with function and source line if the library has symbols and debug information. The
   * innermost place in the plugin's own library.
   */
  readonly at: string | null;
  /** The functions that were active when it crashed, innermost first. */
  readonly backtrace: readonly CrashFrame[];
  /** What the plugin's runtime wrote about the failure, such as the message of a panic. */
  readonly said: string | null;
  readonly systemCall: string | null;
  readonly requestId: string | null;
  /** The last lines of stderr, and the first lines of its last burst; oldest first. */
  readonly stderr: readonly string[];
  /** The limits at the time of the failure. */
  readonly limits: LimitsInForce;
}
