/**
 * The configuration as the rest of the program uses it: defaults filled in, sizes in bytes, times in
 * milliseconds, paths absolute, deeply frozen. This file contains only types, so every folder may import it.
 */

import type { FilesTarget } from './content-types.js';
import type { JsonObject, JsonValue, Written } from './json.js';
import type { ListenerConfig } from './listener-types.js';
import type { ProxyConfig } from './proxy-types.js';
import type { RedirectConfig, RuleConfig } from './rule-types.js';

export type * from './content-types.js';
export type * from './json.js';
export type * from './listener-types.js';
export type * from './proxy-types.js';
export type * from './rule-types.js';

/**
 * A checked configuration: defaults filled in, sizes in bytes, times in milliseconds, paths absolute, deeply
 * frozen.
 */
export interface BackworksConfig {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** Absolute path of the configuration file, or null when the configuration was given as a value. */
  readonly file: string | null;
  readonly server: ServerConfig;
  readonly admin: AdminConfig;
  readonly logging: LoggingConfig;
  readonly tracing: TracingConfig;
  readonly alerts: AlertsConfig;
  /** In the order of the file. */
  readonly endpoints: readonly EndpointConfig[];
  /** The entries of the file in its order, enabled or not. */
  readonly plugins: readonly PluginConfig[];
  readonly autoDiscover: AutoDiscoverConfig;
}

/** The `server:` block. */
export interface ServerConfig extends ListenerConfig {
  /** Longest request body, for endpoints without a limit of their own. */
  readonly bodyLimitBytes: number;
  /** Longest pause between two reads of a request body. */
  readonly bodyTimeoutMs: number;
  /** What may answer requests that no endpoint matches. */
  readonly unmatched: UnmatchedRequests;
  /** The rules of all endpoints, where those have none of their own. */
  readonly rules: RuleConfig;
  /** Number of server processes. */
  readonly workers: number;
  readonly pluginUsers: UserRange;
  readonly shutdown: { readonly delayMs: number; readonly timeoutMs: number };
  readonly reload: {
    /** The server reloads the file when the file changes. */
    readonly watch: boolean;
    readonly intervalMs: number;
  };
}

/** plugins-without-endpoint: plugins that no endpoint names. plugins: every plugin. not-found: no plugin. */
export type UnmatchedRequests = 'plugins-without-endpoint' | 'plugins' | 'not-found';

/** A range of user ids. When the server runs as root, each plugin gets one of them. `count` 0: no range. */
export interface UserRange {
  readonly first: number;
  readonly count: number;
}

/** The `admin:` block. */
export interface AdminConfig {
  readonly enabled: boolean;
  readonly host: string;
  readonly port: number;
  /** Bearer token for reading and control. Empty when no token is set. */
  readonly token: string;
  /** Bearer token for reading only. Empty when there is none. Must differ from `token`. */
  readonly readToken: string;
  /** Whether the metrics count the requests that the server answers. */
  readonly requestMetrics: boolean;
}

/** The lowest severity that is logged. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** The `logging:` block. */
export interface LoggingConfig {
  readonly level: LogLevel;
  /** auto: readable text on a terminal, JSON otherwise. */
  readonly format: 'auto' | 'json' | 'pretty';
  readonly access: AccessLogConfig;
}

/** The `logging.access:` block. */
export interface AccessLogConfig {
  /** off: there is no access log. */
  readonly format: 'off' | 'json' | 'combined';
  /** Absolute path, or `stdout` for standard output. */
  readonly file: string;
  /** Whether the query of a request is logged. */
  readonly query: 'omit' | 'keep';
}

/** The `tracing:` block. */
export interface TracingConfig {
  readonly enabled: boolean;
  /** Whether the client's span is the parent of a request's span, or only linked to it. */
  readonly incoming: 'continue' | 'link';
}

/** The events of a plugin that can trigger an alert. */
export type AlertEvent = 'degraded' | 'failed' | 'quarantined' | 'recovered';

/** The `alerts:` block. */
export interface AlertsConfig {
  /** URL, which may contain a secret. Empty: no alerts are sent. */
  readonly webhook: string;
  /** Sent with each alert. Values may be secrets. */
  readonly headers: Readonly<Record<string, string>>;
  readonly on: readonly AlertEvent[];
  /** Changes of one plugin within this time after its last alert are combined into one alert. */
  readonly minIntervalMs: number;
  readonly timeoutMs: number;
  /**
   * `attempts` counts the first one. `delayMs` is the wait before the second attempt, and doubles with each
   * further one.
   */
  readonly retry: { readonly attempts: number; readonly delayMs: number };
}

/** The methods an endpoint can list. */
export type HttpMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

/** One entry under `endpoints:`. */
export interface EndpointConfig {
  readonly name: string;
  /** Segments are literal, `{name}`, or a final `*`. */
  readonly path: string;
  /** Empty: every method. */
  readonly methods: readonly HttpMethod[];
  /** Longest request body. Null when the file does not say; then the server's limit applies. */
  readonly bodyLimitBytes: number | null;
  readonly target: EndpointTarget;
  /** Plugins whose hooks run for the requests of the endpoint, besides those whose hooks run for all requests. */
  readonly hooks: readonly EndpointHook[];
  /** Absent when the endpoint has no rules of its own. */
  readonly rules?: RuleConfig;
}

/** A plugin that an endpoint lists under `hooks:`. */
export interface EndpointHook {
  readonly plugin: string;
  /** The plugin receives it in the documents of the endpoint's requests. Null: nothing. */
  readonly config: Readonly<JsonObject> | null;
  /** How the file writes it. Undefined when JSON.stringify() writes the same text. */
  readonly written?: Written;
}

/** What answers the requests of an endpoint. */
export type EndpointTarget =
  /** One plugin answers. */
  | { readonly kind: 'plugin'; readonly plugin: string }
  /** The configuration contains the answer. */
  | { readonly kind: 'static'; readonly response: StaticResponse }
  /** Another server answers. */
  | ({ readonly kind: 'proxy' } & ProxyConfig)
  /** The files of a directory answer. */
  | { readonly kind: 'files'; readonly files: FilesTarget }
  /** Clients are sent to another URL. */
  | { readonly kind: 'redirect'; readonly redirect: RedirectConfig }
  /** Plugins are asked in order until one answers. */
  | { readonly kind: 'any-plugin' };

/** A response that the configuration spells out. */
export interface StaticResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonValue | undefined;
  /** How the file writes the body. Undefined when JSON.stringify() writes the same text. */
  readonly written?: Written;
}

/** Whether a plugin runs in its own process or inside the server. */
export type Isolation = 'process' | 'in-process';

/**
 * What the server does when the system lacks a sandbox mechanism: refuse the plugin, continue without the
 * mechanism, or use no sandbox.
 */
export type SandboxMode = 'strict' | 'best-effort' | 'off';

/** One entry under `plugins:`. */
export interface PluginConfig extends PluginPolicy {
  readonly name: string;
  readonly type: 'external' | 'builtin' | 'marketplace';
  /** Absolute path of the library; null for builtin and marketplace entries. */
  readonly path: string | null;
  readonly enabled: boolean;
  /** The plugin's own block, handed to initialize() as JSON. */
  readonly config: Readonly<JsonObject>;
  /** How the file writes the block. Undefined when JSON.stringify() writes the same text. */
  readonly written?: Written;
  /** Location of the entry, as `file:line:column`; null when the configuration has no file. */
  readonly where: string | null;
}

/** skip: a request goes on without the plugin; refuse: the request ends with 503 or 504. */
export type FailurePolicy = 'skip' | 'refuse';

/**
 * The requests for which the hooks of a plugin run: all of them, or those of the endpoints that list the plugin under
 * `hooks:`.
 */
export type HookScope = 'all' | 'endpoints';

/** When a plugin starts: with the server, or on its first use. */
export type LoadTime = 'eager' | 'lazy';

/** none: the body is streamed past the hook; buffer: the server collects the whole body for the hook. */
export type RequestBodyUse = 'none' | 'buffer';
/** auto: the hook gets a body of up to `server.body_limit`; a longer one or an event stream is streamed past it. */
export type ResponseBodyUse = 'none' | 'auto' | 'buffer';

/** The bodies that the hooks of a plugin need. Null where nothing is set. */
export interface WantedBodies {
  readonly request: RequestBodyUse | null;
  readonly response: ResponseBodyUse | null;
}

/** How the server runs a plugin. Discovered plugins get the defaults. */
export interface PluginPolicy {
  readonly load: LoadTime;
  /** A lazy plugin is stopped after this time without calls. 0: never. */
  readonly idleAfterMs: number;
  /** Whether the server does without the plugin. Null when the file does not say; then the manifest decides. */
  readonly critical: boolean | null;
  /** What its failure does to a request. Null when the file does not say; then `critical` and its capabilities decide. */
  readonly onFailure: FailurePolicy | null;
  /** The bodies its hooks need. Null where the file does not say; then the manifest decides. */
  readonly body: WantedBodies;
  readonly hookScope: HookScope;
  /** Lower runs first. Null when the file does not say; then the manifest decides. */
  readonly priority: number | null;
  readonly isolation: Isolation;
  /** The operator trusts the plugin like the server's own code. Required for in-process. */
  readonly trusted: boolean;
  /** Always off for in-process plugins. */
  readonly sandbox: SandboxMode;
  readonly permissions: Permissions;
  /** Number of processes that run the plugin in parallel. */
  readonly instances: number;
  readonly timeouts: {
    /** Deadline of a hook. Null when the file does not say; then the manifest decides. */
    readonly callMs: number | null;
    readonly initializeMs: number;
    readonly shutdownMs: number;
  };
  readonly circuitBreaker: {
    /** This many failures within `windowMs` open the breaker. */
    readonly failures: number;
    readonly windowMs: number;
    /** Time until the open breaker lets one trial call through. */
    readonly resetAfterMs: number;
  };
  readonly retry: {
    /** Number of attempts, including the first. */
    readonly attempts: number;
    readonly on: readonly RetryCondition[];
  };
  readonly limits: ResourceLimits;
  /** A process is replaced after this many calls or at this resident memory. 0: never. */
  readonly recycle: { readonly calls: number; readonly memoryBytes: number };
  /** Wait before a process is restarted. Doubles with each failure up to `maxDelayMs`. */
  readonly restart: { readonly delayMs: number; readonly maxDelayMs: number };
  readonly healthCheck: {
    /** Time between health checks. 0: never. */
    readonly intervalMs: number;
    readonly timeoutMs: number;
  };
  readonly quarantine: {
    /** A library is quarantined after this many failed starts and crashes within `windowMs`. 0: never. */
    readonly failures: number;
    readonly windowMs: number;
  };
  readonly swap: SwapPolicy;
}

/** How a new version of a library replaces the old one, and when the server rolls back. */
export interface SwapPolicy {
  /** The server swaps the plugin when its library file changes. */
  readonly watch: boolean;
  /** Share of requests that the new version gets at first, as a trial. 0: no canary. */
  readonly canary: { readonly percent: number; readonly durationMs: number };
  readonly probation: {
    /** Time after a swap in which the server may roll back automatically. 0: never. */
    readonly durationMs: number;
    /** Roll back if a higher share of calls fails, and the old version had a lower share. */
    readonly maxErrorPercent: number;
    /** Roll back if the mean call time exceeds this percentage of the old version's. 0: never. */
    readonly maxLatencyPercent: number;
    /** Roll back if more processes fail. */
    readonly maxCrashes: number;
    /** Calls needed before error rate and latency are judged. */
    readonly minCalls: number;
  };
  /** Number of versions whose copies are kept, including the one that serves. */
  readonly keep: number;
}

/** What the operator grants a plugin. Empty by default. */
export interface Permissions {
  readonly filesystem: {
    /** Absolute paths of files and directories. */
    readonly read: readonly string[];
    /** Absolute paths. Write access includes read access. */
    readonly write: readonly string[];
  };
  readonly network: {
    /** TCP ports, on any host. */
    readonly connect: readonly number[];
    /** TCP ports. */
    readonly listen: readonly number[];
    /** Any host and port. */
    readonly udp: boolean;
    /** Origins, such as `https://api.example.com`, to which the server makes requests for the plugin. */
    readonly fetch: readonly string[];
  };
  /** Names of environment variables. The values come from the server's environment when a process starts. */
  readonly env: readonly string[];
}

/** The failures after which a call can be retried. */
export type RetryCondition = 'crash' | 'timeout' | 'bad_response';

/** The limits of a plugin. 0 means no limit, except for `queue`, `logBytesPerSecond` and `kvBytes`. */
export interface ResourceLimits {
  /** Private memory of a process. 0: unlimited. */
  readonly memoryBytes: number;
  /** File descriptors of a process. 0: unlimited. */
  readonly openFiles: number;
  /** Threads of the plugin in one process, besides the threads that run its calls. 0: unlimited. */
  readonly threads: number;
  /** Size of the largest file that the plugin can write. 0: unlimited. */
  readonly fileSizeBytes: number;
  /** CPU time of one call, summed over all threads. 0: unlimited. */
  readonly callCpuMs: number;
  /** Percentage of one core that a process may use between calls. 0: unlimited. */
  readonly idleCpuPercent: number;
  /** Calls in flight per process. */
  readonly concurrency: number;
  /** Queued calls per process, beyond `concurrency`. */
  readonly queue: number;
  /** Size of the largest answer of a hook. */
  readonly replyBytes: number;
  /** Size of the largest answer that the server parses as JSON. */
  readonly parsedReplyBytes: number;
  /** Bytes per second of the plugin's output that are logged. */
  readonly logBytesPerSecond: number;
  /** Size of its key-value space. 0: nothing is stored. */
  readonly kvBytes: number;
}

/** The `plugins.auto_discover:` block. */
export interface AutoDiscoverConfig {
  readonly enabled: boolean;
  /** Absolute paths. A missing directory counts as empty. */
  readonly directories: readonly string[];
}
