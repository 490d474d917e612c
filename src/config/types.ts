/**
 * The configuration as the rest of the program sees it: defaults filled in, sizes in bytes, times in
 * milliseconds, paths absolute, deeply frozen. Types only; every folder may import them.
 */

/** Any JSON value. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };
/** A JSON object. */
export type JsonObject = { [key: string]: JsonValue };

/**
 * What the file says of a value that JavaScript values do not hold, by JSON pointers within the value. Empty
 * where JSON.stringify() writes what the file does.
 */
export interface Written {
  /** Numbers, as JSON, with the digits they are written with. */
  readonly numbers: Readonly<Record<string, string>>;
  /** The keys of mappings in the order they are written in. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
}

/**
 * A checked configuration: defaults filled in, sizes in bytes, times in milliseconds, paths absolute, deeply
 * frozen.
 */
export interface BackworksConfig {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** Absolute path of the file the configuration came from, or null when it was given as a value. */
  readonly file: string | null;
  readonly server: ServerConfig;
  readonly admin: AdminConfig;
  readonly logging: LoggingConfig;
  readonly alerts: AlertsConfig;
  /** In the order of the file. */
  readonly endpoints: readonly EndpointConfig[];
  /** Explicit entries in the order of the file, enabled or not. */
  readonly plugins: readonly PluginConfig[];
  readonly autoDiscover: AutoDiscoverConfig;
}

/** The `server:` block. */
export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  readonly bodyLimitBytes: number;
  /** Who may answer requests that no endpoint matches. */
  readonly unmatched: UnmatchedRequests;
  /** Server processes. */
  readonly workers: number;
  readonly pluginUsers: UserRange;
  readonly shutdown: { readonly delayMs: number; readonly timeoutMs: number };
  readonly reload: {
    /** The file is reloaded when it changes. */
    readonly watch: boolean;
    readonly intervalMs: number;
  };
}

/** plugins-without-endpoint: plugins that no endpoint names; plugins: every plugin; not-found: nobody. */
export type UnmatchedRequests = 'plugins-without-endpoint' | 'plugins' | 'not-found';

/** Users of which each plugin gets one, where the server runs as root; `count` 0: none. */
export interface UserRange {
  readonly first: number;
  readonly count: number;
}

/** The `admin:` block. */
export interface AdminConfig {
  readonly enabled: boolean;
  readonly host: string;
  readonly port: number;
  /** Bearer token for reading and control; empty when none is set. */
  readonly token: string;
  /** Bearer token for reading only; empty when there is none. Differs from `token`. */
  readonly readToken: string;
}

/** The least severe lines that are logged. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** The `logging:` block. */
export interface LoggingConfig {
  readonly level: LogLevel;
  /** auto: readable on a terminal, JSON otherwise. */
  readonly format: 'auto' | 'json' | 'pretty';
}

/** What an operator can be told of a plugin. */
export type AlertEvent = 'degraded' | 'failed' | 'quarantined' | 'recovered';

/** The `alerts:` block. */
export interface AlertsConfig {
  /** URL, which may hold a secret; empty when nobody is to be told. */
  readonly webhook: string;
  /** Sent with each alert; values may be secrets. */
  readonly headers: Readonly<Record<string, string>>;
  readonly on: readonly AlertEvent[];
  /** Changes of one plugin within this time of its last alert are told together. */
  readonly minIntervalMs: number;
  readonly timeoutMs: number;
  /** `attempts` in all; `delayMs` before the second, then doubling. */
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
  readonly target: EndpointTarget;
}

/** Who answers the requests of an endpoint. */
export type EndpointTarget =
  /** One plugin answers. */
  | { readonly kind: 'plugin'; readonly plugin: string }
  /** The configuration answers. */
  | { readonly kind: 'static'; readonly response: StaticResponse }
  /** Another server answers. */
  | { readonly kind: 'proxy'; readonly target: string; readonly timeoutMs: number }
  /** Plugins are asked in order until one answers. */
  | { readonly kind: 'any-plugin' };

/** A response that the configuration spells out. */
export interface StaticResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonValue | undefined;
  /** How the body is written; as it is in JavaScript when left out. */
  readonly written?: Written;
}

/** Whether a plugin runs in a process of its own or in the server. */
export type Isolation = 'process' | 'in-process';

/** What happens when the system lacks a mechanism: refuse the plugin, go on without it, or use none. */
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
  /** How the block is written; as it is in JavaScript when left out. */
  readonly written?: Written;
  /** Where the entry stands, as `file:line:column`; null when it has no file. */
  readonly where: string | null;
}

/** When a plugin is started: with the server, or with its first use. */
export type LoadTime = 'eager' | 'lazy';

/** How a plugin is run; discovered plugins get the defaults. */
export interface PluginPolicy {
  readonly load: LoadTime;
  /** A lazy plugin that was not called for so long is stopped; 0: never. */
  readonly idleAfterMs: number;
  /** A failure ends the request; null when the file does not say, so that a manifest may. */
  readonly critical: boolean | null;
  /** Lower runs first; null when the file does not say, so that a manifest may. */
  readonly priority: number | null;
  readonly isolation: Isolation;
  /** The operator trusts the plugin as the server's own code; in-process needs it. */
  readonly trusted: boolean;
  /** Always off in-process. */
  readonly sandbox: SandboxMode;
  readonly permissions: Permissions;
  /** Processes that run the plugin side by side. */
  readonly instances: number;
  readonly timeouts: {
    /** Longest time of a hook; null when the file does not say, so that a manifest may. */
    readonly callMs: number | null;
    readonly initializeMs: number;
    readonly shutdownMs: number;
  };
  readonly circuitBreaker: {
    /** This many failures within `windowMs` open the breaker. */
    readonly failures: number;
    readonly windowMs: number;
    /** How long it stays open before one call may try again. */
    readonly resetAfterMs: number;
  };
  readonly retry: {
    /** Tries in all, the first included. */
    readonly attempts: number;
    readonly on: readonly RetryCondition[];
  };
  readonly limits: ResourceLimits;
  /** A process is replaced after this many calls or at this resident memory; 0: never. */
  readonly recycle: { readonly calls: number; readonly memoryBytes: number };
  /** Wait before a process is started again; doubles with each failure up to `maxDelayMs`. */
  readonly restart: { readonly delayMs: number; readonly maxDelayMs: number };
  readonly healthCheck: {
    /** 0: never. */
    readonly intervalMs: number;
    readonly timeoutMs: number;
  };
  readonly quarantine: {
    /** This many failed starts and crashes within `windowMs` put the library there; 0: never. */
    readonly failures: number;
    readonly windowMs: number;
  };
  readonly swap: SwapPolicy;
}

/** How another version of a library takes over, and when it is taken back. */
export interface SwapPolicy {
  /** A change of the file swaps the plugin by itself. */
  readonly watch: boolean;
  /** The share of requests that tries the new version, before it gets all of them; 0: no trial. */
  readonly canary: { readonly percent: number; readonly durationMs: number };
  readonly probation: {
    /** How long the former version can come back by itself; 0: it cannot. */
    readonly durationMs: number;
    /** More failed calls than this bring it back, if it had fewer itself. */
    readonly maxErrorPercent: number;
    /** A mean time of a call beyond this percentage of the former one's brings it back; 0: any is fine. */
    readonly maxLatencyPercent: number;
    /** More failed processes than this bring it back. */
    readonly maxCrashes: number;
    /** Errors and latency are judged after this many calls. */
    readonly minCalls: number;
  };
  /** Versions whose copies are kept, the one that serves included. */
  readonly keep: number;
}

/** What the operator grants a plugin; empty by default. */
export interface Permissions {
  readonly filesystem: {
    /** Absolute paths of files and directories. */
    readonly read: readonly string[];
    /** As `read`; includes reading. */
    readonly write: readonly string[];
  };
  readonly network: {
    /** TCP ports, on any host. */
    readonly connect: readonly number[];
    /** TCP ports. */
    readonly listen: readonly number[];
    /** Any host and port. */
    readonly udp: boolean;
  };
  /** Names of variables; their values come from the server's environment when a process starts. */
  readonly env: readonly string[];
}

/** The failures after which a call can be retried. */
export type RetryCondition = 'crash' | 'timeout' | 'bad_response';

/** The limits of a plugin. 0 means no limit, except for `queue` and `logBytesPerSecond`. */
export interface ResourceLimits {
  /** Private memory of a process; 0: unlimited. */
  readonly memoryBytes: number;
  /** Descriptors of a process; 0: unlimited. */
  readonly openFiles: number;
  /** Threads of the plugin in one process, beside those that run its calls; 0: unlimited. */
  readonly threads: number;
  /** Longest file the plugin can write; 0: unlimited. */
  readonly fileSizeBytes: number;
  /** Processor time of one call, all threads; 0: any. */
  readonly callCpuMs: number;
  /** Percentage of one core a process may use between calls; 0: any. */
  readonly idleCpuPercent: number;
  /** Calls a plugin works on at once, per process. */
  readonly concurrency: number;
  /** Calls that may wait beyond those, per process. */
  readonly queue: number;
  /** Longest answer of a hook. */
  readonly replyBytes: number;
  /** Longest answer that is parsed as JSON in the server. */
  readonly parsedReplyBytes: number;
  /** Output of the plugin that is logged, per second. */
  readonly logBytesPerSecond: number;
}

/** The `plugins.auto_discover:` block. */
export interface AutoDiscoverConfig {
  readonly enabled: boolean;
  /** Absolute paths; a missing directory holds no plugins. */
  readonly directories: readonly string[];
}
