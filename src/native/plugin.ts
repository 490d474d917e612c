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

/** The functions a request can reach. `call` performs the operations a plugin offers to other plugins. */
export type Hook = 'before_request' | 'after_response' | 'process_endpoint' | 'call';

/** A library's description, read without initializing it. Untrusted until checked. */
export interface LibraryDescription {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** The manifest's JSON text, or null when the library has none. */
  readonly manifest: string | null;
  readonly functions: ReadonlySet<AbiFunction>;
  readonly threadSafe: boolean;
  /** Of its extension table; null when it has none. Only a library that was described without being started has it. */
  readonly abiVersion?: number | null;
}

/** Hooks of one request that a plugin runs in order, each only if the answer before allows it. */
export interface NativeHookBatch {
  readonly first: 'before_request' | 'process_endpoint';
  readonly requestJson: Text;
  readonly endpoint: string;
  readonly method: string;
  /** The response document up to its body; without it, after_response is not called. */
  readonly responseHead: string | null;
  /** The plugin has begun a further hook. Called before the answer of the previous hook arrives. */
  next(hook: 'process_endpoint' | 'after_response'): CallTicket & Listener<NativeReply>;
  /** No further hook is called. Called before the last answer arrives. */
  end(): void;
  /** As end(), when the process may still run further hooks: nobody else may call them again. */
  abandon(error: unknown): void;
}

/** A request of a plugin to another plugin. */
export interface OperationRequest {
  /** Null for any plugin that provides the operation. */
  readonly plugin: string | null;
  readonly operation: string;
  /** JSON as the plugin wrote it, not checked. */
  readonly payload: string;
}

/** How long a request of http_fetch() may take. */
export interface FetchLimits {
  /** `performance.now()` milliseconds at which the call of the plugin ends; Infinity for never. */
  readonly deadlineAtMs: number;
  /** Aborted when the process of the plugin has ended. */
  readonly signal: AbortSignal;
}

/** What kv_set() returns; see backworks_plugin.h. */
export const KvStatus = { STORED: 0, FULL: 1, INVALID: 2 } as const;
export type KvStatus = (typeof KvStatus)[keyof typeof KvStatus];

/** The key-value space of a plugin, shared by all its processes. */
export interface KeyValues {
  /** The value of a key; null when there is none. */
  get(key: string): string | null;
  /**
   * Stores or removes a value.
   * @param value null removes the key
   * @param ttlSeconds how long the value is kept; 0: as long as the space exists
   * @returns what kv_set() returns
   */
  set(key: string, value: string | null, ttlSeconds: number): KvStatus;
}

/** The running call of the plugin that makes the request. */
export type RequestingCall = CallOrigin;

/** A hook's answer: UTF-8 bytes from a runner, a string from in-process code, null for NULL. */
export type NativeReply = Buffer | string | null;

/** One library, loaded and initialized, in a process of its own or in this one. */
export interface NativePlugin {
  readonly description: LibraryDescription;

  /**
   * Calls a hook. Arguments must not contain NUL characters. An answer that is available at once is
   * returned without a promise.
   * @throws PluginFailure (as a rejection) when the plugin crashed, exited, or cannot be reached.
   */
  call(
    hook: Hook,
    args: readonly Text[],
    ticket: CallTicket,
  ): NativeReply | Promise<NativeReply> | Deferred<NativeReply>;

  /**
   * Calls several hooks in order and returns the answer of the first. Returns null when they must be called
   * separately; for an in-process plugin that costs nothing.
   */
  batch?(batch: NativeHookBatch, ticket: CallTicket): Deferred<NativeReply> | null;

  /** The plugin's health_check(): 0 healthy, > 0 degraded, < 0 unhealthy; `text` is last_error. */
  healthCheck(ticket: CallTicket): Promise<{ status: number; text: string }>;

  /**
   * Replaces every process: a new one takes over before the old one finishes its calls and ends.
   * @throws PluginFailure when a new process does not start; the old processes continue.
   * @throws BackworksError BW_PLUGIN_STATE in-process: the loaded library stays.
   */
  restart(): Promise<void>;

  /**
   * Gives every process another configuration, between two calls. Processes that start later get it too.
   * @throws PluginFailure BW_PLUGIN_RECONFIGURE when a process rejects it; then the former configuration is
   *   active in all of them.
   */
  reconfigure(configJson: string): Promise<void>;

  /** Changes settings that do not require new processes. */
  adjust(settings: AdjustableSettings): void;

  /** Calls shutdown() within its time limit and ends every process. Never rejects; idempotent. */
  close(): Promise<void>;

  /** The state of the sandbox; null in-process and before the first process is ready. */
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
  /** Its resource use, at most a second old; null before the first sample. */
  readonly usage: ProcessUsage | null;
}

/** Events of a plugin outside of calls, for the registry and the log. */
export interface NativePluginEvents {
  /** The plugin wrote or logged a line. */
  log(line: PluginLogLine): void;
  /** The plugin raised a counter through its host table. */
  metric(name: string, delta: number): void;
  /** The sandbox refused an operation of the plugin; repeated refusals are reported together. */
  refused(refusal: Refusal): void;
  /** A process failed; calls that were running fail with the same error. */
  failed(failure: PluginFailure): void;
  /** After a failure, every instance serves again. */
  recovered(): void;
  /** An initialized process was asked to end and has ended. */
  stopped?(result: ShutdownResult): void;
}

/** How a process ended that was asked to. */
export interface ShutdownResult {
  /** What shutdown() returned; null when the process ended before. */
  readonly status: number | null;
  /** The plugin's explanation of another status than 0. */
  readonly text: string;
  /** Why the process did not end by itself, in shutdown() or after it; null when it did. */
  readonly failure: PluginFailure | null;
}

export interface PluginLogLine {
  readonly source: 'stdout' | 'stderr' | 'log';
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly text: string;
  /** The process that wrote it; null in-process. */
  readonly pid: number | null;
}

/** A place where the loader looks for a library that another one needs. */
export interface Dependency {
  readonly path: string;
  /** SHA-256 of the file in hexadecimal; null when there is none. A file that appears later would be loaded. */
  readonly digest: string | null;
}

/** The libraries that a library needs, as far as they are not those of the system. */
export interface Dependencies {
  readonly files: readonly Dependency[];
  /** Directories in which the loader looks for them. */
  readonly directories: readonly string[];
  /** SHA-256 of all of them together, in hexadecimal; empty when there are none. */
  readonly digest: string;
}

export interface NativePluginOptions {
  /** The plugin's name as configured; appears in every failure. */
  readonly name: string;
  /** Absolute path of the library to load. */
  readonly libraryPath: string;
  /** SHA-256 that its bytes must have, in hexadecimal; absent: any file at `libraryPath` is loaded. */
  readonly libraryDigest?: string;
  /** The library finds other libraries relative to its path, so it must be loaded by that path. */
  readonly libraryInPlace?: boolean;
  /** The libraries that it needs, as they were when it was checked; absent: they are not compared. */
  readonly libraryDependencies?: Dependencies;
  /** The operator's name for the file, used in crash places; default: the file name of `libraryPath`. */
  readonly libraryName?: string;
  /** The operator's path of the file, for messages; default: `libraryPath`. */
  readonly originalPath?: string;
  /** The plugin's `config:` block as JSON text. */
  readonly configJson: string;
  /** Called when a process exists and nothing was sent to it. It waits until the promise resolves. */
  readonly spawned?: ((pid: number) => Promise<void>) | undefined;
  /**
   * Called once, after the library was described and before initialize(). Returns the configuration to
   * pass instead of `configJson`. When it rejects, the plugin does not start.
   */
  readonly prepareConfig?: ((description: LibraryDescription) => Promise<string>) | undefined;
  readonly sandbox: SandboxOptions;
  /**
   * A program that runs the runner, such as a tracer, and its arguments. It must become the runner by exec(), so that the
   * process stays a child of the server. Absent: none.
   */
  readonly runUnder?: readonly string[] | undefined;
  /** The environment of its processes. */
  readonly environment: Readonly<Record<string, string>>;
  readonly instances: number;
  /** Calls that one process runs at the same time; more than 1 needs a thread-safe library. */
  readonly concurrency: number;
  readonly initializeTimeoutMs: number;
  readonly shutdownTimeoutMs: number;
  readonly replyBytesMax: number;
  readonly logBytesPerSecond: number;
  /** A process is replaced after this many calls; 0: never. */
  readonly recycleCalls: number;
  /** A process is replaced when its resident memory reaches this; 0: never. */
  readonly recycleMemoryBytes: number;
  /** A process that uses more than this share of a core between calls is replaced; 0: no limit. */
  readonly idleCpuPercent: number;
  /** Processor time that one call may use, over all threads of its process; 0: no limit. */
  readonly callCpuMs: number;
  readonly restart: { readonly delayMs: number; readonly maxDelayMs: number };
  /**
   * Performs an operation of another plugin for this plugin; null for no answer, as without this function.
   * Never rejects.
   * @param caller null when no hook of this plugin is running
   */
  readonly operate?: (request: OperationRequest, caller: RequestingCall | null) => Promise<NativeReply>;
  /** Performs http_fetch() and returns its document. Never rejects. Absent: every request fails. */
  readonly fetch?: (requestJson: string, limits: FetchLimits) => Promise<string>;
  /** The plugin's key-value space; absent: reads find nothing, and writes fail. */
  readonly keyValues?: KeyValues;
  readonly events: NativePluginEvents;
}

/** Settings that are read each time they are needed, so that they can change at any time. */
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

/** What a process may do and use. The sandbox is active before any code of the plugin runs. */
export interface SandboxOptions {
  readonly mode: SandboxMode;
  readonly permissions: Permissions;
  /** 0: unlimited, also for the limits below. */
  readonly memoryBytes: number;
  readonly openFiles: number;
  readonly fileSizeBytes: number;
  /** Threads of a process, including its first thread and its call threads. */
  readonly threads: number;
  /** The user of its processes when the server runs as root; otherwise null. */
  readonly user: ProcessUser | null;
}

/** A user for processes that are started as root; the group has the same number. */
export interface ProcessUser {
  readonly id: number;
  /** No process of another plugin uses it. */
  readonly isOwn: boolean;
  /** Why another plugin uses it although the configuration asks for a separate user; otherwise null. */
  readonly missing: string | null;
}

/** The permission that would have allowed an operation; null when no permission does. */
export type RefusedPermission =
  | 'filesystem.read'
  | 'filesystem.write'
  | 'network.connect'
  | 'network.listen'
  | 'network.udp'
  | 'network.fetch'
  | null;

/**
 * An operation the sandbox or the server refused. The sandbox's refusals are reported by the plugin's process, so they
 * are not trustworthy.
 */
export interface Refusal {
  readonly permission: RefusedPermission;
  /** The function or system call that failed, such as "connect". */
  readonly function: string;
  /** The path or port concerned; null when there is none. */
  readonly object: string | null;
  /** How often it happened since the last report. */
  readonly times: number;
}

/** Resource use of a process at one moment; null when unknown or when the process has ended. */
export interface ProcessUsage {
  readonly residentBytes: number | null;
  readonly threads: number | null;
  /** Processor time of all its threads since it started, in milliseconds. */
  readonly cpuMs: number | null;
}

/** The runner's report about its sandbox, after it tested the sandbox. */
export interface SandboxReport {
  /** Mechanism to state, such as landlock: "7", seccomp: "1", uid: "65534". */
  readonly states: Readonly<Record<string, string>>;
  /** What the system lacks, as sentences; empty under `strict`. */
  readonly missing: readonly string[];
  readonly limits: SystemLimits;
}

/** Limits of a process that the system enforces, with their active values; 0: none. */
export interface SystemLimits {
  readonly memoryBytes: number;
  /** The memory limit of its cgroup, which includes memory the kernel uses for the process. */
  readonly memoryCgroupBytes: number;
  readonly openFiles: number;
  readonly fileSizeBytes: number;
  /** Whether its processor time can be limited. */
  readonly cpuClock: boolean;
}
