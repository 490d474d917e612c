import type { BodyUse } from '../../plugins/body-use.js';
import type { Isolation, ResourceLimits, SandboxMode } from '../../config/types.js';
import type { ErrorCode, PluginOutcome, PluginPhase } from '../../errors.js';
import type { CircuitStateName } from '../../execution/executor.js';
import type { NativeProcess, RefusedPermission } from '../../native/plugin.js';
import type { PluginRelations } from '../dependencies/relations.js';
import type { PipelineHook } from '../../plugins/metadata.js';
import type { CallStats } from '../../plugins/call-stats.js';
import type { PluginState } from './plugin-state.js';
import type { SwapRecord } from './swap-record.js';
import type { TrialStage } from './trial.js';

/** Everything an operator can see of a plugin: the row of `plugin list`, the entry of the admin API. */
export interface PluginStatus extends PluginRelations {
  readonly name: string;
  readonly state: PluginState;
  /** Why it is in this state, when there is something to say. */
  readonly reason: string | null;
  /** When it entered the state. */
  readonly since: Date;
  /** 'config' for an explicit entry, 'discovered' for a library found in a directory. */
  readonly origin: 'config' | 'discovered';
  readonly type: 'external' | 'builtin' | 'marketplace';
  readonly path: string | null;
  /** Of the plugin's own metadata; null until it was read. */
  readonly version: string | null;
  readonly description: string | null;
  readonly hooks: readonly PipelineHook[];
  readonly isolation: Isolation;
  readonly critical: boolean;
  readonly priority: number;
  /** The bodies its hooks need. */
  readonly body: BodyUse;
  readonly circuit: CircuitStateName;
  readonly calls: Readonly<Record<string, { readonly calls: number; readonly failed: number }>>;
  readonly processes: readonly PluginProcess[];
  /** SHA-256 of the library in use; null until it was loaded. */
  readonly digest: string | null;
  readonly sandbox: {
    readonly mode: SandboxMode;
    /** Mechanism to state, as the runner reported after testing itself; empty until then. */
    readonly states: Readonly<Record<string, string>>;
    /** What the system could not give; empty under `strict`. */
    readonly missing: readonly string[];
  };
  /** What the manifest asks for and the configuration does not grant. */
  readonly missingPermissions: readonly string[];
  /** What the sandbox refused it, newest first. */
  readonly refusals: readonly KeptRefusal[];
  readonly limits: LimitsInForce;
  /** Two versions side by side; null when there is one. */
  readonly trial: TrialStatus | null;
  /** Every version that has processes, the one that serves first. */
  readonly versions: readonly VersionStatus[];
  /** What became of the last swap this server tried; null when there was none. */
  readonly lastSwap: SwapRecord | null;
  /** The newest failures of its processes, newest first. */
  readonly failures: readonly PostMortem[];
}

/** What a plugin is by itself. */
export type OwnStatus = Omit<PluginStatus, keyof PluginRelations>;

/**
 * The limits of a plugin's processes as they are in force, which the system may have made lower than they
 * are configured; 0: none.
 */
export interface LimitsInForce extends ResourceLimits {
  /** Of the cgroup of each process, with what the kernel keeps for it. */
  readonly memoryCgroupBytes: number;
  /** Longest frame that is sent to a process. */
  readonly frameBytes: number;
}

/** Something the sandbox refused a plugin, in any of its processes. */
export interface KeptRefusal {
  /** That would allow it; null where none does. */
  readonly permission: RefusedPermission;
  readonly function: string;
  /** Path or port; null when there is none. */
  readonly object: string | null;
  readonly times: number;
  readonly last: Date;
}

/** A process of a plugin, and of which worker of the server; absent where there is one server process. */
export interface PluginProcess extends NativeProcess {
  readonly worker?: number;
}

/** A plugin entered a state, or is in it for another reason. */
export interface StateChange {
  readonly plugin: string;
  readonly critical: boolean;
  readonly state: PluginState;
  readonly reason: string | null;
  /** Of the error that put it there; null when none did. */
  readonly code: ErrorCode | null;
  readonly time: Date;
  /** The failure that put it there; null when it was another cause. */
  readonly failure: PostMortem | null;
}

/** A canary or a probation that is under way. */
export interface TrialStatus {
  readonly stage: TrialStage;
  readonly until: Date;
  /** Share of new requests that gets the version that is tried out; 0 in a probation. */
  readonly percent: number;
}

/** serving · canary: tried out · standby: comes back if the one that serves fails · leaving: finishes requests. */
export type VersionRole = 'serving' | 'canary' | 'standby' | 'leaving';

/** A version of a plugin that has processes, and its calls. */
export interface VersionStatus extends CallStats {
  readonly role: VersionRole;
  readonly version: string;
  readonly digest: string;
  readonly processes: readonly PluginProcess[];
}

/** What is known of a process that failed. */
export interface PostMortem {
  readonly time: Date;
  readonly outcome: PluginOutcome;
  readonly code: ErrorCode;
  readonly message: string;
  readonly phase: PluginPhase;
  readonly signal: string | null;
  readonly exitStatus: number | null;
  /** Library and offset, with the function where the library has symbols. */
  readonly at: string | null;
  readonly systemCall: string | null;
  readonly requestId: string | null;
  /** The last lines of stderr, and those that began its last outburst; oldest first. */
  readonly stderr: readonly string[];
  /** Those that were in force; they may have changed since. */
  readonly limits: LimitsInForce;
}
