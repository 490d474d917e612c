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
 * A whole number above 0 with ms, s, m or h, or a number of milliseconds; at most 99h.
 */
export type RawDuration = string | number;
/**
 * A whole number above 0 with a unit as in a size, or a number of bytes.
 */
export type RawSize = string | number;
/**
 * A name.
 */
export type RawName = string;
/**
 * A whole number, with or without %.
 */
export type RawPercentage = string | number;
/**
 * Files and directories, relative to the directory of this file.
 */
export type RawPaths = string[];
/**
 * Port numbers.
 */
export type RawPorts = number[];
/**
 * Origins of URLs.
 */
export type RawOrigins = string[];

/**
 * The contents of backworks.yaml.
 */
export interface RawConfig {
  /**
   * The version of the file format; `backworks config migrate` raises it.
   */
  config_version: number;
  /**
   * The name of the service in logs.
   */
  name: string;
  /**
   * The version of the service.
   */
  version: string;
  /**
   * The purpose of the service.
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
    /**
     * The server speaks TLS. Without this block it speaks plain HTTP.
     */
    tls?: {
      /**
       * The PEM file of the certificate for clients that ask for no other host: the server's certificate first, then those between it and the root.
       */
      certificate: string;
      /**
       * The PEM file of the certificate's private key, without a passphrase.
       */
      key: string;
      /**
       * Certificates for other host names.
       */
      certificates: {
        /**
         * Host names that get this certificate; *.example.org stands for one label. Empty: the names in the certificate.
         */
        hosts: string[];
        /**
         * The PEM file of the certificate.
         */
        certificate: string;
        /**
         * The PEM file of its private key.
         */
        key: string;
      }[];
      /**
       * The oldest version of TLS that the server accepts.
       */
      min_version: '1.2' | '1.3';
      handshake_timeout: RawDuration;
      /**
       * Clients are asked for a certificate (mutual TLS).
       */
      client_certificates?: {
        /**
         * The PEM file of the authorities whose certificates are accepted.
         */
        ca: string;
        /**
         * require: clients without a certificate are refused. request: they are served; a certificate that is not accepted is refused in either case.
         */
        mode: 'require' | 'request';
      };
    };
    /**
     * Requests over HTTP/2.
     */
    http2: {
      /**
       * with-tls: clients choose HTTP/2 in the TLS handshake. always: also on a port without TLS, if a client begins with HTTP/2 (prior knowledge). never: only HTTP/1.
       */
      accept: 'with-tls' | 'always' | 'never';
      /**
       * Requests of one connection that may be in flight at once.
       */
      max_streams: number;
    };
    /**
     * Load balancers that state the client's address in front of each connection.
     */
    proxy_protocol: {
      /**
       * IP addresses and networks of the load balancers. Their connections must begin with a header of the PROXY protocol, version 1 or 2; those of others must not.
       */
      addresses: string[];
      timeout: RawDuration;
    };
    /**
     * Limits of client connections, in each server process.
     */
    connections: {
      /**
       * Connections that may be open at once; further ones are closed at once. auto: 80% of the file descriptors that the process may open.
       */
      max: string | number;
      /**
       * Requests that one connection may carry before the server closes it; 0 sets no limit.
       */
      max_requests: number;
      header_limit: RawSize;
      header_timeout: RawDuration;
      keep_alive_timeout: RawDuration;
      write_timeout: RawDuration;
    };
    body_limit: RawSize;
    body_timeout: RawDuration;
    /**
     * What may answer requests that no endpoint matches: the plugins that no endpoint names, all plugins, or no plugin.
     */
    unmatched: 'plugins-without-endpoint' | 'plugins' | 'not-found';
    /**
     * The proxies in front of the server whose statements about their clients it believes.
     */
    trust_proxy: {
      /**
       * IP addresses and networks of the proxies.
       */
      addresses: string[];
      /**
       * The header in which the proxies state the client: x-forwarded for x-forwarded-for, -proto and -host, or forwarded (RFC 7239). The other one is not believed: a proxy may pass it on from a client.
       */
      header: 'x-forwarded' | 'forwarded';
    };
    headers?: RawHeaderRules;
    compression?: RawCompressionRule;
    cache?: RawCacheRule;
    /**
     * What is done with requests that do not come over TLS: allow, or redirect to the same URL with https.
     */
    plain_http: 'allow' | 'redirect';
    /**
     * Number of server processes that share the port, each with its own plugin processes; auto means one per processor.
     */
    workers: string | number;
    /**
     * User ids for plugins when the server runs as root: each plugin gets its own user, and a group with the same number.
     */
    plugin_users: {
      /**
       * Lowest number of the range.
       */
      first: number;
      /**
       * Number of users in the range; 0 runs all plugins as user 65534.
       */
      count: number;
    };
    /**
     * Automatic reload of a changed configuration.
     */
    reload: {
      /**
       * Whether the server reloads the file when the file changes; SIGHUP, the admin API and backworks reload work in either case.
       */
      watch: boolean;
      interval: RawDuration;
    };
    /**
     * How the server shuts down.
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
     * Whether the admin API is served.
     */
    enabled: boolean;
    host: RawHost;
    /**
     * The port to listen on; 0 takes any free one.
     */
    port: number;
    /**
     * The bearer token for the whole admin API. Empty: the server generates a random token at each start and prints it once.
     */
    token: string;
    /**
     * A second bearer token, which allows reading only. Empty: there is none.
     */
    read_token: string;
    /**
     * Whether /metrics also counts the requests that the server answers, by endpoint, method and status.
     */
    request_metrics: boolean;
  };
  /**
   * The server's own log, and the access log.
   */
  logging: {
    /**
     * The lowest severity of messages that are written.
     */
    level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
    /**
     * auto: readable text on a terminal, JSON otherwise.
     */
    format: 'auto' | 'json' | 'pretty';
    /**
     * One line for each request, when its response has ended.
     */
    access: {
      /**
       * off: no access log. json: one JSON object a line. combined: the combined format of Apache httpd and nginx.
       */
      format: 'off' | 'json' | 'combined';
      /**
       * The file to which lines are appended, relative to the directory of the configuration file; stdout: standard output.
       */
      file: string;
      /**
       * Whether the query of a request is logged. It often contains secrets.
       */
      query: 'omit' | 'keep';
    };
  };
  /**
   * Spans of requests, made with the package @opentelemetry/api and the SDK that is preloaded into the server.
   */
  tracing: {
    /**
     * Whether requests, calls of plugins and proxy targets get spans.
     */
    enabled: boolean;
    /**
     * continue: the span that a request's headers name is its parent. link: every request begins a trace of its own, with a link to that span; for servers whose clients are strangers.
     */
    incoming: 'continue' | 'link';
  };
  /**
   * Alerts when a plugin has a problem and when it recovers.
   */
  alerts: {
    /**
     * The http or https URL to which alerts are posted. Empty: no alerts.
     */
    webhook: string;
    /**
     * HTTP headers that are sent with each alert.
     */
    headers: {
      [k: string]: string;
    };
    /**
     * The events that trigger an alert.
     */
    on: ('degraded' | 'failed' | 'quarantined' | 'recovered')[];
    min_interval: RawDuration;
    timeout: RawDuration;
    /**
     * What happens to an alert that the webhook did not accept.
     */
    retry: {
      /**
       * Number of attempts, including the first; after that the alert is dropped.
       */
      attempts: number;
      delay: RawDuration;
    };
  };
  /**
   * Endpoints by name. Their order has no effect.
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
       * Directories to search, relative to the directory of this file. A missing directory counts as empty.
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
           * Directories to search, relative to the directory of this file. A missing directory counts as empty.
           */
          directories: string[];
        };
  };
}
/**
 * Changes of headers.
 */
export interface RawHeaderRules {
  /**
   * Changes of the headers of a request, before any plugin sees it: first remove, then set, then add.
   */
  request?: {
    /**
     * Headers that are removed.
     */
    remove: string[];
    /**
     * Headers that get this value, whatever value they had.
     */
    set: {
      [k: string]: string;
    };
    /**
     * Values that are added to those that the header has.
     */
    add: {
      [k: string]: string;
    };
  };
  /**
   * Changes of the headers of a response, after the last plugin: first remove, then set, then add.
   */
  response?: {
    /**
     * Headers that are removed.
     */
    remove: string[];
    /**
     * Headers that get this value, whatever value they had.
     */
    set: {
      [k: string]: string;
    };
    /**
     * Values that are added to those that the header has.
     */
    add: {
      [k: string]: string;
    };
  };
}
/**
 * How answers are compressed.
 */
export interface RawCompressionRule {
  /**
   * The content codings, in the order in which the server prefers them. zstd needs Node.js 22.15 or newer. An empty list turns compression off.
   */
  encodings: ('br' | 'gzip' | 'zstd')[];
  min_size: RawSize;
  /**
   * The media types whose bodies are compressed. text/event-stream only if it is listed itself.
   */
  types: string[];
  /**
   * How much time is spent to make a body smaller.
   */
  level: 'fast' | 'balanced' | 'small';
}
/**
 * What clients and caches are told about how long an answer is valid.
 */
export interface RawCacheRule {
  /**
   * The cache-control header of answers with a status below 400 that have none.
   */
  control?: string;
  /**
   * Whether answers get an entity tag, so that a client that has the answer already gets 304.
   */
  etag: boolean;
}
/**
 * A path and what answers requests for it: at most one of `plugin`, `response`, `proxy`, `files` and `redirect`. Without any of them, the plugins are asked in order.
 */
export interface RawEndpoint {
  /**
   * Segments are literal, `{name}`, or a final `*` for the rest.
   */
  path: string;
  /**
   * The methods that the endpoint accepts. Default: every method.
   */
  methods?: ('GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS')[];
  body_limit?: RawSize;
  /**
   * The plugins whose before_request and after_response run for this endpoint, besides those with hooks: all. They run in the order of their priorities.
   */
  hooks?: (
    | string
    | {
        plugin: RawName;
        /**
         * What the plugin receives as config in the documents of the endpoint's requests.
         */
        config?: JsonObject;
      }
  )[];
  headers?: RawHeaderRules;
  compression?: RawCompressionRule;
  cache?: RawCacheRule;
  /**
   * What is done with requests that do not come over TLS: allow, or redirect to the same URL with https. Default: server.plain_http.
   */
  plain_http?: 'allow' | 'redirect';
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
   * Other servers that answer: exactly one of `target` and `targets`.
   */
  proxy?: {
    /**
     * The http or https URL of the server.
     */
    target?: string;
    /**
     * Several servers, each an http or https URL or a mapping of url and weight.
     */
    targets?: (
      | string
      | {
          /**
           * The http or https URL of the server.
           */
          url: string;
          /**
           * The share of the server: with weight 2 it gets twice the requests of one with weight 1.
           */
          weight: number;
        }
    )[];
    /**
     * How a target is chosen. round_robin: in turn. least_connections: the one with the fewest requests in flight. Both respect weights.
     */
    balance: 'round_robin' | 'least_connections';
    /**
     * The beginning of the request's path that the target does not get.
     */
    strip_prefix?: string;
    /**
     * What is put before the path, behind the path of the target's URL.
     */
    add_prefix?: string;
    /**
     * The Host header that targets get. target: the target's own. preserve: the client's. Anything else: this name.
     */
    host: string;
    /**
     * What is changed in answers so that it is true for the client. location: addresses of the target in Location and Content-Location. cookies: Domain and Path of cookies.
     */
    rewrite: ('location' | 'cookies')[];
    timeout: RawDuration;
    connect_timeout: RawDuration;
    /**
     * How https targets are verified, and how this server identifies itself to them.
     */
    tls: {
      /**
       * PEM file with the authorities that may sign the target's certificate, instead of the system's; relative to the directory of this file.
       */
      ca?: string;
      /**
       * Whether the target's certificate is verified. Without this, anybody in between can read and change everything.
       */
      verify: boolean;
      /**
       * The name that the target's certificate must have, and that is sent with SNI. Default: the host of the URL.
       */
      server_name?: string;
      /**
       * PEM file with the client certificate for the target; relative to the directory of this file.
       */
      certificate?: string;
      /**
       * PEM file with the private key of the client certificate.
       */
      key?: string;
    };
    /**
     * Repetition of failed requests at another target.
     */
    retry: {
      /**
       * How many targets a request is sent to, the first one included. Each target gets it at most once.
       */
      attempts: number;
      budget: RawPercentage;
      /**
       * The failures after which a request is repeated. connect: no connection, so the target got nothing. reset: the connection ended without an answer. timeout: no answer in time. After the last two only idempotent requests are repeated.
       */
      on: ('connect' | 'reset' | 'timeout')[];
      /**
       * The statuses of answers after which an idempotent request is repeated.
       */
      statuses: number[];
    };
    /**
     * Takes a target out after failed requests in a row: no connection, no answer, or an invalid answer.
     */
    circuit_breaker: {
      /**
       * How many failed requests in a row take the target out.
       */
      failures: number;
      reset_after: RawDuration;
    };
    /**
     * Checks that the server makes itself. Without this block it makes none.
     */
    health?: {
      /**
       * The path that is requested with GET, as the target sees it.
       */
      path: string;
      interval: RawDuration;
      timeout: RawDuration;
      /**
       * How many checks in a row must pass before a target that is down gets requests again.
       */
      healthy_after: number;
      /**
       * How many checks in a row must fail before a target is down.
       */
      unhealthy_after: number;
      /**
       * The statuses that pass the check. Empty: 200 to 399.
       */
      statuses: number[];
    };
  };
  /**
   * A directory whose files answer GET and HEAD.
   */
  files?: {
    /**
     * The directory, relative to the directory of this file.
     */
    directory: string;
    /**
     * The file that answers for a directory.
     */
    index: string;
    /**
     * The file below the directory that answers when there is none for the path, as single-page applications need it.
     */
    fallback?: string;
    /**
     * Whether files and directories whose names begin with a dot are served.
     */
    dotfiles: 'deny' | 'allow';
    /**
     * inside: a symbolic link is followed when it leads to a place in the directory. follow: wherever it leads.
     */
    symlinks: 'inside' | 'follow';
    /**
     * The codings for which a compressed variant can lie beside a file, as NAME.br, NAME.gz or NAME.zst. The first of them that the client accepts is served.
     */
    precompressed: ('br' | 'gzip' | 'zstd')[];
    /**
     * The cache-control header of the files.
     */
    cache_control?: string;
  };
  /**
   * Another URL to which clients are sent.
   */
  redirect?: {
    /**
     * A path, or an http or https URL. `{name}` and `{*}` stand for parameters of the path, behind the host.
     */
    to: string;
    /**
     * 307 and 308 keep the method, 303 asks with GET; 301 and 308 are permanent, so browsers keep them.
     */
    status: 301 | 302 | 303 | 307 | 308;
    /**
     * Whether the query of the request is appended.
     */
    query: 'keep' | 'drop';
  };
}
/**
 * One plugin: where it comes from, how it runs, and its own configuration.
 */
export interface RawPlugin {
  /**
   * Where the plugin comes from. external: a library at `path`. builtin and marketplace: reserved; this version does not support them. Defaults to external when `path` is given.
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
   * The server does not start without a critical plugin, and is not ready while it fails. Default: the value of the plugin's manifest, else false.
   */
  critical?: boolean;
  /**
   * What happens to a request when the plugin fails or does not serve: refuse ends the request with 503 or 504; skip passes the plugin by. Default: refuse for a critical plugin and for one that declares a security.* capability, else skip.
   */
  on_failure?: 'skip' | 'refuse';
  /**
   * The requests for which the hooks of the plugin run: all, or only those of the endpoints that list the plugin under hooks. Default: endpoints for a plugin that an endpoint lists, else all.
   */
  hooks?: 'all' | 'endpoints';
  /**
   * The bodies that the hooks of the plugin need. Default: the value of the plugin's manifest, else request: buffer and response: auto.
   */
  body?:
    | string
    | {
        /**
         * none: before_request does not get the body, which is streamed. buffer: before_request waits for the whole body.
         */
        request?: 'none' | 'buffer';
        /**
         * none: after_response does not get the body, which is streamed. auto: it gets a body of up to server.body_limit; event streams and longer bodies are streamed. buffer: it gets every body; one longer than server.body_limit is refused.
         */
        response?: 'none' | 'auto' | 'buffer';
      };
  /**
   * Lower runs first. Default: the value of the plugin's manifest, else 100.
   */
  priority?: number;
  /**
   * process: the plugin has its own process, so a crash or a missed deadline ends only that process. in-process: the plugin runs inside the server; for trusted code only.
   */
  isolation: 'process' | 'in-process';
  /**
   * You trust the plugin like the server's own code. Required for isolation in-process.
   */
  trusted: boolean;
  /**
   * How the operating system restricts the process. strict: the server refuses the plugin when a mechanism is missing. best-effort: the server uses the mechanisms that exist and reports the missing ones. off: no restrictions. Always off with isolation in-process.
   */
  sandbox: 'strict' | 'best-effort' | 'off';
  /**
   * What the plugin may do besides computing; nothing by default.
   */
  permissions: {
    /**
     * Files and directories that the plugin may use. A directory includes everything below it.
     */
    filesystem: {
      read: RawPaths;
      write: RawPaths;
    };
    /**
     * The network access of the plugin.
     */
    network: {
      connect: RawPorts;
      listen: RawPorts;
      fetch: RawOrigins;
      /**
       * Whether the plugin may use UDP, with any host and port. Name resolution needs UDP.
       */
      udp: boolean;
    };
    /**
     * Names of the server's environment variables that the plugin gets, at most 64. The plugin gets no others.
     */
    env: string[];
  };
  /**
   * When the plugin starts. eager: with the server. lazy: on its first use; until then the server has read and checked the library but runs no process.
   */
  load: 'eager' | 'lazy';
  idle_after: RawDuration;
  /**
   * Number of processes that run the plugin in parallel.
   */
  instances: number;
  /**
   * The plugin's own settings, passed to its initialize() as JSON.
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
   * When the server stops calling a failing plugin for a while.
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
   * Which failed calls are retried.
   */
  retry: {
    /**
     * Number of attempts, including the first.
     */
    attempts: number;
    /**
     * The failures after which a call is retried.
     */
    on: ('crash' | 'timeout' | 'bad_response')[];
  };
  /**
   * What the plugin may use.
   */
  limits: {
    memory: RawSize;
    /**
     * Files and sockets that one process can have open, at least 16; 0 means unlimited and needs sandbox off.
     */
    open_files: number;
    /**
     * Threads that the plugin can have in one process, besides the threads that run its calls; 0 means unlimited and needs sandbox off.
     */
    threads: number;
    file_size: RawSize;
    cpu_time: RawDuration;
    idle_cpu: RawPercentage;
    /**
     * Calls in flight in one process, each in its own thread. More than 1 needs a library that declares itself thread-safe; use `instances` for other libraries.
     */
    concurrency: number;
    /**
     * Queued calls per process, beyond `concurrency`.
     */
    queue: number;
    reply: RawSize;
    parsed_reply: RawSize;
    log_rate: RawSize;
    kv: RawSize;
  };
  /**
   * When a process is replaced with a new one.
   */
  recycle: {
    /**
     * After this many calls; 0 means never.
     */
    calls: number;
    memory?: RawSize;
  };
  /**
   * How soon a failed process is restarted.
   */
  restart: {
    delay: RawDuration;
    max_delay: RawDuration;
  };
  /**
   * Periodic health checks of the plugin.
   */
  health: {
    interval: RawDuration;
    timeout: RawDuration;
  };
  /**
   * When a library that keeps failing is no longer started, until an operator lifts the quarantine.
   */
  quarantine: {
    /**
     * This many failed starts and crashes within `window` quarantine the library; 0 means never.
     */
    failures: number;
    window: RawDuration;
  };
  /**
   * How a new version of the library replaces the serving one, and when the server rolls back.
   */
  swap: {
    /**
     * Whether the server swaps the plugin when the library file changes.
     */
    watch: boolean;
    /**
     * A trial in which the new version gets a share of the requests before it gets all of them.
     */
    canary: {
      percent: RawPercentage;
      duration: RawDuration;
    };
    /**
     * The time after a swap in which the old version keeps running and the server may roll back automatically.
     */
    probation: {
      duration: RawDuration;
      max_error_rate: RawPercentage;
      max_latency: RawPercentage;
      /**
       * Roll back when more processes than this fail.
       */
      max_crashes: number;
      /**
       * Number of calls before error rate and latency are judged.
       */
      min_calls: number;
    };
    /**
     * Number of versions whose copies are kept, including the serving one.
     */
    keep: number;
  };
}
