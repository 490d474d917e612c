import type { CallOrigin, CallTicket } from '../call-ticket.js';
import type { Deferred, Listener } from '../deferred.js';
import type { Permissions, SandboxMode } from '../config/types.js';
import type { PluginFailure } from '../errors.js';
import type { Text } from '../long-text.js';

/** Functions and flags a library can have beyond plugin_info() and plugin_vtable(). */
export type AbiFunction =
  | 'initialize'
  | 'shutdown'
  | 'health_check'
  | 'before_request'
  | 'after_response'
  | 'process_endpoint'
  | 'manifest'
  | 'free_string'
  | 'last_error'
  | 'bind_host'
  | 'call'
  | 'reconfigure';

/** The functions a request can reach. `call` is the generic door of the extension table. */
export type Hook = 'before_request' | 'after_response' | 'process_endpoint' | 'call';

/** What a library says of itself, read without initializing it. Untrusted until checked. */
export interface LibraryDescription {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** The manifest's JSON text, or null when the library has none. */
  readonly manifest: string | null;
  readonly functions: ReadonlySet<AbiFunction>;
  readonly threadSafe: boolean;
}

/** Hooks of one request that a plugin is asked in a row, each if the one before allows it. */
export interface NativeHookBatch {
  readonly first: 'before_request' | 'process_endpoint';
  readonly requestJson: Text;
  readonly endpoint: string;
  readonly method: string;
  /** The response document up to its body, without which after_response is not asked. */
  readonly responseHead: string | null;
  /** A further hook is being called; told before the answer of the one before. */
  next(hook: 'process_endpoint' | 'after_response'): CallTicket & Listener<NativeReply>;
  /** No further hook is called; told before the last answer. */
  end(): void;
  /** As end(), for a process that may call further hooks all the same: nobody else may. */
  abandon(error: unknown): void;
}

/** What a plugin asks of another one while it works. */
export interface OperationRequest {
  /** Null for whichever provides the operation. */
  readonly plugin: string | null;
  readonly operation: string;
  /** JSON as the plugin wrote it, unchecked. */
  readonly payload: string;
}

/** The call of the asking plugin that is running. */
export type AskingCall = CallOrigin;

/** A hook's answer: UTF-8 bytes from a runner, a string from in-process code, null for NULL. */
export type NativeReply = Buffer | string | null;

/** One library, loaded and initialized, in a process of its own or in this one. */
export interface NativePlugin {
  readonly description: LibraryDescription;

  /**
   * Calls a hook. Arguments must not contain NUL characters. An answer that is at hand comes without a
   * promise.
   * @throws PluginFailure (as a rejection) when the plugin crashed, exited, or cannot be reached.
   */
  call(
    hook: Hook,
    args: readonly Text[],
    ticket: CallTicket,
  ): NativeReply | Promise<NativeReply> | Deferred<NativeReply>;

  /**
   * Calls several hooks in a row; the answer is that of the first. Null when they have to be called one
   * by one. In-process, that costs nothing.
   */
  batch?(batch: NativeHookBatch, ticket: CallTicket): Deferred<NativeReply> | null;

  /** The plugin's health_check(): 0 healthy, > 0 degraded, < 0 unhealthy; `text` is last_error. */
  healthCheck(ticket: CallTicket): Promise<{ status: number; text: string }>;

  /**
   * Replaces every process: a new one takes over before the old one finishes its calls and ends.
   * @throws PluginFailure when a new one does not start; the old ones go on.
   * @throws BackworksError BW_PLUGIN_STATE in-process: what is loaded there stays.
   */
  restart(): Promise<void>;

  /**
   * Gives every process another configuration, between two calls; processes that start later get it too.
   * @throws PluginFailure BW_PLUGIN_RECONFIGURE when one does not take it: the former one is in force
   *   then, in all of them.
   */
  reconfigure(configJson: string): Promise<void>;

  /** Changes settings that processes need not be replaced for. */
  adjust(settings: AdjustableSettings): void;

  /** Calls shutdown() within its time-box and ends every process. Never rejects; idempotent. */
  close(): Promise<void>;

  /** What holds of the sandbox; null in-process and before a process was ready. */
  readonly sandbox: SandboxReport | null;

  /** The processes at this moment; empty for in-process plugins. */
  processes(): readonly NativeProcess[];
}

/** A process that runs a plugin. */
export interface NativeProcess {
  readonly pid: number;
  readonly state: 'starting' | 'spare' | 'ready' | 'draining';
  readonly startedAt: Date;
  /** Calls answered since it started. */
  readonly calls: number;
  /** What it used a second ago or less; null before that is known. */
  readonly usage: ProcessUsage | null;
}

/** What happens to a plugin outside of calls; the registry and the log listen. */
export interface NativePluginEvents {
  /** A line the plugin wrote or logged. */
  log(line: PluginLogLine): void;
  /** A counter the plugin raised through its host table. */
  metric(name: string, delta: number): void;
  /** The sandbox refused the plugin something; repeated refusals come together. */
  refused(refusal: Refusal): void;
  /** A process failed; calls that were running fail with the same error. */
  failed(failure: PluginFailure): void;
  /** Every instance serves again after a failure. */
  recovered(): void;
}

export interface PluginLogLine {
  readonly source: 'stdout' | 'stderr' | 'log';
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly text: string;
  /** Process that wrote it; null in-process. */
  readonly pid: number | null;
}

export interface NativePluginOptions {
  /** The plugin's name as configured; appears in every failure. */
  readonly name: string;
  /** Absolute path of the library to load. */
  readonly libraryPath: string;
  /** SHA-256 of the bytes it must have, in hexadecimal; absent: whatever lies at `libraryPath`. */
  readonly libraryDigest?: string;
  /** It finds other libraries relative to its path, so that it has to be loaded by that. */
  readonly libraryInPlace?: boolean;
  /** What its operator calls the file, for places in it; the name in `libraryPath` when absent. */
  readonly libraryName?: string;
  /** The path by which its operator knows the file, for messages; `libraryPath` when absent. */
  readonly originalPath?: string;
  /** The plugin's `config:` block as JSON text. */
  readonly configJson: string;
  /**
   * Asked once, when the library has said who it is and before initialize(): what to hand over in the
   * place of `configJson`. A rejection is why the plugin does not start.
   */
  readonly prepareConfig?: ((description: LibraryDescription) => Promise<string>) | undefined;
  readonly sandbox: SandboxOptions;
  /** The environment of its processes. */
  readonly environment: Readonly<Record<string, string>>;
  readonly instances: number;
  /** Calls one process works on at once; more than 1 needs a library that is thread-safe. */
  readonly concurrency: number;
  readonly initializeTimeoutMs: number;
  readonly shutdownTimeoutMs: number;
  readonly replyBytesMax: number;
  readonly logBytesPerSecond: number;
  /** A process is replaced after this many calls; 0: never. */
  readonly recycleCalls: number;
  /** A process is replaced at this resident memory; 0: never. */
  readonly recycleMemoryBytes: number;
  /** A process that uses more of a core than this between calls is replaced; 0: any. */
  readonly idleCpuPercent: number;
  /** Processor time one call may use, of all threads of its process; 0: any. */
  readonly callCpuMs: number;
  readonly restart: { readonly delayMs: number; readonly maxDelayMs: number };
  /**
   * Performs what the plugin asks of another one; null for no answer, as without this. Never rejects.
   * @param caller null when no hook of it is running
   */
  readonly operate?: (request: OperationRequest, caller: AskingCall | null) => Promise<NativeReply>;
  readonly events: NativePluginEvents;
}

/** Settings that are asked for when they are needed, so that they can change at any time. */
export type AdjustableSettings = Pick<
  NativePluginOptions,
  | 'initializeTimeoutMs'
  | 'shutdownTimeoutMs'
  | 'logBytesPerSecond'
  | 'recycleCalls'
  | 'recycleMemoryBytes'
  | 'idleCpuPercent'
  | 'callCpuMs'
  | 'restart'
>;

/** What a process may do and use; in force before any code of the plugin runs. */
export interface SandboxOptions {
  readonly mode: SandboxMode;
  readonly permissions: Permissions;
  /** 0: unlimited, as for the others. */
  readonly memoryBytes: number;
  readonly openFiles: number;
  readonly fileSizeBytes: number;
  /** Threads of a process, with its first and those that run calls. */
  readonly threads: number;
  /** The user of its processes where the server runs as root; null when it does not. */
  readonly user: ProcessUser | null;
}

/** A user for processes that are started as root; its group has the same number. */
export interface ProcessUser {
  readonly id: number;
  /** No process of another plugin has it. */
  readonly isOwn: boolean;
  /** Why it is not the plugin's own although it should be; null otherwise. */
  readonly missing: string | null;
}

/** The permission that would have allowed something; null where none does. */
export type RefusedPermission =
  'filesystem.read' | 'filesystem.write' | 'network.connect' | 'network.listen' | 'network.udp' | null;

/** Something the sandbox has refused a plugin that lives on. Said by the process, not to be trusted. */
export interface Refusal {
  readonly permission: RefusedPermission;
  /** The function or system call that failed, such as "connect". */
  readonly function: string;
  /** The path or port it was about; null when there is none. */
  readonly object: string | null;
  /** How often, since it was last told. */
  readonly times: number;
}

/** What a process uses at one moment; null where the system does not tell, or the process is gone. */
export interface ProcessUsage {
  readonly residentBytes: number | null;
  readonly threads: number | null;
  /** Processor time of all its threads since it started, in milliseconds. */
  readonly cpuMs: number | null;
}

/** What the runner says holds after it tried its own sandbox. */
export interface SandboxReport {
  /** Mechanism to state, such as landlock: "7", seccomp: "1", uid: "65534". */
  readonly states: Readonly<Record<string, string>>;
  /** What could not be had, in words; empty under `strict`. */
  readonly missing: readonly string[];
  readonly limits: SystemLimits;
}

/** Limits of a process that the system keeps, as they are in force; 0: none. */
export interface SystemLimits {
  readonly memoryBytes: number;
  /** The same in its cgroup, with what the kernel keeps for it. */
  readonly memoryCgroupBytes: number;
  readonly openFiles: number;
  readonly fileSizeBytes: number;
  /** Whether its processor time can be limited. */
  readonly cpuClock: boolean;
}
