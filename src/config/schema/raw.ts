/**
 * The file after the schema has accepted it and filled in its defaults: units and paths as written.
 * Generated from schema/backworks.v1.json by scripts/generate-from-schema.mjs; do not edit.
 */
import type { JsonObject, JsonValue } from '../types.js';

/**
 * A host name or an IP address.
 */
export type RawHost = string;
/**
 * A whole number above 0 with a unit as in a size, or a number of bytes.
 */
export type RawSize = string | number;
/**
 * A whole number above 0 with ms, s, m or h, or a number of milliseconds; at most 99h.
 */
export type RawDuration = string | number;
/**
 * A name.
 */
export type RawName = string;
/**
 * Files and directories, relative to the directory of this file.
 */
export type RawPaths = string[];
/**
 * Port numbers.
 */
export type RawPorts = number[];
/**
 * A whole number, with or without %.
 */
export type RawPercentage = string | number;

/**
 * The contents of backworks.yaml.
 */
export interface RawConfig {
  /**
   * The version of the file itself; `backworks config migrate` raises it.
   */
  config_version: number;
  /**
   * What the service is called in logs.
   */
  name: string;
  /**
   * The version of the service.
   */
  version: string;
  /**
   * What the service is for.
   */
  description: string;
  /**
   * The address that serves requests.
   */
  server: {
    host: RawHost;
    /**
     * The port to listen on; 0 takes any free one.
     */
    port: number;
    body_limit: RawSize;
    /**
     * Who may answer requests that no endpoint matches: plugins that no endpoint names, all plugins, or nobody.
     */
    unmatched: 'plugins-without-endpoint' | 'plugins' | 'not-found';
    /**
     * Server processes that share the port, each with its own plugin processes; auto is one for each processor.
     */
    workers: string | number;
    /**
     * Users for the plugins of a server that runs as root: each plugin gets one of its own, with a group of the same number.
     */
    plugin_users: {
      /**
       * Lowest number of the range.
       */
      first: number;
      /**
       * Users in the range; 0 has all plugins run as user 65534.
       */
      count: number;
    };
    /**
     * When a changed configuration comes into force by itself.
     */
    reload: {
      /**
       * Whether the file is reloaded when it changes; SIGHUP, the admin API and backworks reload work in either case.
       */
      watch: boolean;
      interval: RawDuration;
    };
    /**
     * How the server ends.
     */
    shutdown: {
      delay: RawDuration;
      timeout: RawDuration;
    };
  };
  /**
   * The address that serves health, metrics and the plugin list.
   */
  admin: {
    /**
     * Whether it is served.
     */
    enabled: boolean;
    host: RawHost;
    /**
     * The port to listen on; 0 takes any free one.
     */
    port: number;
    /**
     * The bearer token for everything the address offers. Empty: a random one is made at each start and printed once.
     */
    token: string;
    /**
     * A second bearer token, which can read and not control. Empty: there is none.
     */
    read_token: string;
  };
  /**
   * The server's own log.
   */
  logging: {
    /**
     * The least severe messages that are written.
     */
    level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
    /**
     * auto: readable on a terminal, JSON otherwise.
     */
    format: 'auto' | 'json' | 'pretty';
  };
  /**
   * Who is told when a plugin is not well, and when it is again.
   */
  alerts: {
    /**
     * The http or https URL alerts are posted to. Empty: nobody is told.
     */
    webhook: string;
    /**
     * Sent with each alert.
     */
    headers: {
      [k: string]: string;
    };
    /**
     * What is told.
     */
    on: ('degraded' | 'failed' | 'quarantined' | 'recovered')[];
    min_interval: RawDuration;
    timeout: RawDuration;
    /**
     * What happens to an alert the webhook did not take.
     */
    retry: {
      /**
       * Tries in all, the first included; then the alert is given up.
       */
      attempts: number;
      delay: RawDuration;
    };
  };
  /**
   * Paths by name. The order matters only to readers.
   */
  endpoints: {
    [k: string]: RawEndpoint;
  };
  /**
   * Plugins by name.
   */
  plugins: {
    /**
     * Loads the plugins found in directories. Without this block nothing is discovered.
     */
    auto_discover: {
      /**
       * Whether the directories are searched.
       */
      enabled: boolean;
      /**
       * Directories to search, relative to the directory of this file. A missing one holds no plugins.
       */
      directories: string[];
    };
    [k: string]:
      | RawPlugin
      | {
          /**
           * Whether the directories are searched.
           */
          enabled: boolean;
          /**
           * Directories to search, relative to the directory of this file. A missing one holds no plugins.
           */
          directories: string[];
        };
  };
}
/**
 * A path and what answers it: at most one of `plugin`, `response` and `proxy`. Without any, the plugins are asked in order.
 */
export interface RawEndpoint {
  /**
   * Segments are literal, `{name}`, or a final `*` for the rest.
   */
  path: string;
  /**
   * The methods it takes. Without it, every method.
   */
  methods?: ('GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS')[];
  plugin?: RawName;
  /**
   * A fixed answer.
   */
  response?: {
    /**
     * The HTTP status.
     */
    status: number;
    /**
     * The HTTP headers.
     */
    headers: {
      [k: string]: string;
    };
    /**
     * Any value. Text is sent as it is, anything else as JSON.
     */
    body?: JsonValue;
  };
  /**
   * Another server that answers.
   */
  proxy?: {
    /**
     * Its http or https URL.
     */
    target: string;
    timeout: RawDuration;
  };
}
/**
 * One plugin: where it comes from, how it runs, and its own configuration.
 */
export interface RawPlugin {
  /**
   * Where the plugin comes from: external is a library at `path`; builtin and marketplace entries load but this version cannot serve them. Defaults to external when `path` is given.
   */
  type?: 'external' | 'builtin' | 'marketplace';
  /**
   * The shared library, relative to the directory of this file. External plugins only.
   */
  path?: string;
  /**
   * The version to use. Marketplace plugins only.
   */
  version?: string;
  /**
   * Whether the plugin is loaded.
   */
  enabled: boolean;
  /**
   * A failure of a critical plugin ends the request with 503 or 504; any other plugin is skipped. Without it the plugin's manifest decides, else false.
   */
  critical?: boolean;
  /**
   * Lower runs first. Without it the plugin's manifest decides, else 100.
   */
  priority?: number;
  /**
   * process: a process of its own, which a crash or a deadline ends alone. in-process: inside the server, for trusted code only.
   */
  isolation: 'process' | 'in-process';
  /**
   * You trust the plugin as the server's own code. Needed by isolation in-process.
   */
  trusted: boolean;
  /**
   * What the operating system denies the process: strict refuses the plugin where a mechanism is missing, best-effort applies what there is and says what is missing, off denies nothing. With isolation in-process it is off.
   */
  sandbox: 'strict' | 'best-effort' | 'off';
  /**
   * What the plugin may do beyond computing; nothing by default.
   */
  permissions: {
    /**
     * Files and directories the plugin may use, directories with everything below them.
     */
    filesystem: {
      read: RawPaths;
      write: RawPaths;
    };
    /**
     * What the plugin may reach.
     */
    network: {
      connect: RawPorts;
      listen: RawPorts;
      /**
       * Whether it may use UDP, with any host and port. Looking up host names needs it.
       */
      udp: boolean;
    };
    /**
     * Variables of the server's environment that it gets, by name, at most 64. It gets no other.
     */
    env: string[];
  };
  /**
   * When the plugin is started. eager: with the server. lazy: with its first use; until then it is described and checked, and has no process.
   */
  load: 'eager' | 'lazy';
  idle_after: RawDuration;
  /**
   * Processes that run the plugin side by side.
   */
  instances: number;
  /**
   * The plugin's own settings, handed to its initialize() as JSON.
   */
  config: JsonObject;
  /**
   * How long the plugin may take.
   */
  timeouts: {
    call?: RawDuration;
    initialize: RawDuration;
    shutdown: RawDuration;
  };
  /**
   * When a failing plugin is left alone.
   */
  circuit_breaker: {
    /**
     * This many failures within `window` open the breaker.
     */
    failures: number;
    window: RawDuration;
    reset_after: RawDuration;
  };
  /**
   * Which failed calls are tried again.
   */
  retry: {
    /**
     * Tries in all, the first included.
     */
    attempts: number;
    /**
     * The failures after which a call is tried again.
     */
    on: ('crash' | 'timeout' | 'bad_response')[];
  };
  /**
   * What the plugin may use.
   */
  limits: {
    memory: RawSize;
    /**
     * Files and sockets one process has open at once, at least 16; 0 means unlimited and needs sandbox off.
     */
    open_files: number;
    /**
     * Threads the plugin has at once in one process, beside those that run its calls; 0 means unlimited and needs sandbox off.
     */
    threads: number;
    file_size: RawSize;
    cpu_time: RawDuration;
    idle_cpu: RawPercentage;
    /**
     * Calls one process works on at once, each in a thread of its own. More than 1 needs a library that declares itself thread-safe; for others there are `instances`.
     */
    concurrency: number;
    /**
     * Calls that may wait beyond those, per process.
     */
    queue: number;
    reply: RawSize;
    parsed_reply: RawSize;
    log_rate: RawSize;
  };
  /**
   * When a process is replaced by a fresh one.
   */
  recycle: {
    /**
     * After this many calls; 0 means never.
     */
    calls: number;
    memory?: RawSize;
  };
  /**
   * How soon a process that ended is started again.
   */
  restart: {
    delay: RawDuration;
    max_delay: RawDuration;
  };
  /**
   * How the plugin is asked how it is.
   */
  health: {
    interval: RawDuration;
    timeout: RawDuration;
  };
  /**
   * When a library that keeps failing is not started again until an operator lifts it.
   */
  quarantine: {
    /**
     * This many failed starts and crashes within `window` put it there; 0 means never.
     */
    failures: number;
    window: RawDuration;
  };
  /**
   * How another version of the library takes the place of the one that serves, and when it is taken back.
   */
  swap: {
    /**
     * Whether a change of the library file swaps the plugin by itself.
     */
    watch: boolean;
    /**
     * A trial with a share of the requests before the new version gets all of them.
     */
    canary: {
      percent: RawPercentage;
      duration: RawDuration;
    };
    /**
     * The time after a swap in which the version before is kept running and comes back by itself.
     */
    probation: {
      duration: RawDuration;
      max_error_rate: RawPercentage;
      max_latency: RawPercentage;
      /**
       * More failed processes than this bring the version before back.
       */
      max_crashes: number;
      /**
       * Error rate and latency are judged after this many calls.
       */
      min_calls: number;
    };
    /**
     * Versions whose copies are kept, the one that serves included.
     */
    keep: number;
  };
}
