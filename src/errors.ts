/**
 * Every error that Backworks raises on purpose. Programs match on `code`, which never changes; the texts may
 * change. docs/errors.md lists each code, and a test fails when the two lists differ.
 */

import { oneLine } from './printable.js';

/** What one error code means. */
export interface ErrorKind {
  /** The meaning in one sentence. docs/errors.md repeats the sentence word for word. */
  readonly summary: string;
  /** HTTP status when the error ends a request. */
  readonly status: number;
  /** Process exit code when the error ends a command. */
  readonly exit: number;
}

export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  config: 3,
  plugin: 4,
} as const;

const kind = (status: number, exit: number, summary: string): ErrorKind => ({ summary, status, exit });

/**
 * The meaning, HTTP status and exit code of every error code.
 *
 * @example
 * ```ts
 * import { ERRORS } from 'backworks';
 *
 * console.log(ERRORS.BW_PLUGIN_TIMEOUT.status, ERRORS.BW_PLUGIN_TIMEOUT.exit); // 504 4
 * ```
 */
export const ERRORS = {
  BW_CONFIG_NOT_FOUND: kind(500, EXIT.config, 'No configuration file was found where one was expected.'),
  BW_CONFIG_SYNTAX: kind(422, EXIT.config, 'The configuration file is not well-formed YAML.'),
  BW_CONFIG_INVALID: kind(422, EXIT.config, 'The configuration breaks its schema or contradicts itself.'),
  BW_CONFIG_VARIABLE: kind(422, EXIT.config, 'A ${VARIABLE} in the configuration has no value.'),
  BW_CONFIG_WRITE: kind(500, EXIT.config, 'The configuration file cannot be written.'),
  BW_LIBRARY_NOT_FOUND: kind(503, EXIT.plugin, 'A plugin library does not exist or cannot be read.'),
  BW_LIBRARY_FORMAT: kind(503, EXIT.plugin, 'A file is not a shared library for this system.'),
  BW_LIBRARY_ARCHITECTURE: kind(503, EXIT.plugin, 'A library was built for another processor.'),
  BW_LIBRARY_SYMBOL: kind(503, EXIT.plugin, 'A library does not export the functions of a Backworks plugin.'),
  BW_LIBRARY_GLIBC: kind(503, EXIT.plugin, 'A library needs a newer C library than this system has.'),
  BW_LIBRARY_TRUNCATED: kind(503, EXIT.plugin, 'A library file is damaged or incomplete.'),
  BW_LIBRARY_CHANGED: kind(503, EXIT.plugin, 'A library changed after the server checked it.'),
  BW_LIBRARY_STORE: kind(503, EXIT.failure, 'Libraries cannot be copied to the cache directory.'),
  BW_PLUGIN_LOAD: kind(503, EXIT.plugin, 'A library could not be loaded.'),
  BW_PLUGIN_ABI: kind(503, EXIT.plugin, 'A plugin needs another version of the plugin ABI.'),
  BW_PLUGIN_METADATA: kind(503, EXIT.plugin, "A plugin's name, version or manifest is missing or malformed."),
  BW_PLUGIN_INITIALIZE: kind(503, EXIT.plugin, 'A plugin refused to initialize.'),
  BW_PLUGIN_CONFIG: kind(503, EXIT.config, "A plugin's configuration breaks the plugin's own schema."),
  BW_PLUGIN_UNHEALTHY: kind(503, EXIT.plugin, 'A new version of a plugin reports that it is unhealthy.'),
  BW_PLUGIN_DUPLICATE: kind(503, EXIT.plugin, 'Two plugins have the same name.'),
  BW_PLUGIN_UNKNOWN: kind(503, EXIT.plugin, 'No plugin of that name is configured or discovered.'),
  BW_PLUGIN_UNSUPPORTED: kind(
    503,
    EXIT.plugin,
    'A plugin entry uses a feature that this version does not support.',
  ),
  BW_PLUGIN_CRASHED: kind(503, EXIT.plugin, 'A plugin process was killed by a signal during a call.'),
  BW_PLUGIN_EXITED: kind(503, EXIT.plugin, 'A plugin process exited during a call.'),
  BW_PLUGIN_VIOLATION: kind(
    503,
    EXIT.plugin,
    'A plugin was killed for a system call that its sandbox forbids.',
  ),
  BW_PLUGIN_MEMORY: kind(503, EXIT.plugin, 'A plugin exceeded its memory limit.'),
  BW_PLUGIN_THREADS: kind(503, EXIT.plugin, 'A plugin exceeded its thread limit.'),
  BW_PLUGIN_TIMEOUT: kind(504, EXIT.plugin, 'A plugin did not answer before its deadline.'),
  BW_PLUGIN_PROTOCOL: kind(503, EXIT.plugin, 'A plugin process violated the runner protocol.'),
  BW_PLUGIN_FAILED: kind(500, EXIT.plugin, 'A plugin reported that it could not handle a call.'),
  BW_PLUGIN_BAD_RESPONSE: kind(502, EXIT.plugin, 'A plugin returned an answer that the server cannot use.'),
  BW_PLUGIN_UNAVAILABLE: kind(503, EXIT.plugin, 'A plugin is not running at the moment.'),
  BW_PLUGIN_OVERLOADED: kind(503, EXIT.plugin, 'The queue of a plugin is full.'),
  BW_PLUGIN_SANDBOX: kind(503, EXIT.plugin, 'The sandbox of a plugin cannot be set up.'),
  BW_PLUGIN_QUARANTINED: kind(503, EXIT.plugin, 'A library failed too often and is quarantined.'),
  BW_PLUGIN_CIRCUIT_OPEN: kind(
    503,
    EXIT.plugin,
    'A plugin failed too often, so its circuit breaker is open.',
  ),
  BW_PLUGIN_RECONFIGURE: kind(503, EXIT.plugin, 'A running plugin did not accept a new configuration.'),
  BW_PLUGIN_DEPENDENCY: kind(503, EXIT.plugin, 'A plugin depends on another plugin that is not available.'),
  BW_PLUGIN_CALL_REFUSED: kind(
    503,
    EXIT.plugin,
    'A plugin made a call to another plugin that is not allowed.',
  ),
  BW_PLUGIN_IN_USE: kind(
    409,
    EXIT.plugin,
    'A plugin cannot be stopped because endpoints or other plugins need it.',
  ),
  BW_PLUGIN_STATE: kind(409, EXIT.plugin, 'A plugin is in a state that does not allow the operation.'),
  BW_PLUGIN_INSTALL: kind(409, EXIT.plugin, 'A library cannot be installed.'),
  BW_BUILD_TOOL: kind(500, EXIT.failure, 'A program that builds plugins is missing.'),
  BW_BUILD_FAILED: kind(500, EXIT.plugin, 'A plugin could not be built.'),
  BW_PROFILE_REQUESTS: kind(400, EXIT.usage, 'Recorded requests cannot be read.'),
  BW_RELOAD_REFUSED: kind(409, EXIT.plugin, 'A reload was refused, and nothing was changed.'),
  BW_RUNNER_NOT_FOUND: kind(503, EXIT.failure, 'The runner program or the library beside it is missing.'),
  BW_RUNNER_VERSION: kind(503, EXIT.failure, 'The runner program and the server have different versions.'),
  BW_RUNNER_START: kind(
    503,
    EXIT.failure,
    'The runner program or the library beside it could not be started.',
  ),
  BW_REQUEST_INVALID: kind(400, EXIT.failure, 'A request is malformed.'),
  BW_REQUEST_TIMEOUT: kind(
    408,
    EXIT.failure,
    'A client sent nothing of its request body for server.body_timeout.',
  ),
  BW_REQUEST_BODY_TOO_LARGE: kind(
    413,
    EXIT.failure,
    'A request body exceeds the body_limit of its endpoint or of the server.',
  ),
  BW_REQUEST_MEDIA_TYPE: kind(415, EXIT.failure, 'A request body uses an encoding that is not supported.'),
  BW_REQUEST_PRECONDITION: kind(
    412,
    EXIT.failure,
    'A request is for another version of what the server has.',
  ),
  BW_REQUEST_NOT_IMPLEMENTED: kind(
    501,
    EXIT.failure,
    'A request uses a feature of HTTP that is not supported.',
  ),
  BW_REQUEST_CANCELLED: kind(
    499,
    EXIT.failure,
    'The client closed the connection before its request was answered.',
  ),
  BW_ROUTE_NOT_FOUND: kind(404, EXIT.failure, 'No endpoint and no plugin answers this path.'),
  BW_ROUTE_METHOD: kind(405, EXIT.failure, 'The endpoint does not accept this method.'),
  BW_PROXY_UPSTREAM: kind(502, EXIT.failure, 'The target of a proxy endpoint did not give a valid answer.'),
  BW_PROXY_TIMEOUT: kind(504, EXIT.failure, 'The target of a proxy endpoint did not answer in time.'),
  BW_PROXY_UNAVAILABLE: kind(503, EXIT.failure, 'No target of a proxy endpoint can take the request.'),
  BW_FILE_NOT_FOUND: kind(404, EXIT.failure, 'The directory of the endpoint has no file for this path.'),
  BW_FILE_READ: kind(503, EXIT.failure, 'A file of an endpoint cannot be read at the moment.'),
  BW_SERVER_LISTEN: kind(500, EXIT.failure, 'The server cannot listen on its address.'),
  BW_SERVER_TLS: kind(500, EXIT.config, 'A certificate or key of the server cannot be used.'),
  BW_ACCESS_LOG: kind(500, EXIT.failure, 'The access log cannot be opened or written.'),
  BW_SERVER_WORKER: kind(503, EXIT.failure, 'A worker process exited, or worker processes keep exiting.'),
  BW_SERVER_UNREACHABLE: kind(500, EXIT.failure, 'A command needs a running server, and no server answers.'),
  BW_ADMIN_UNAUTHORIZED: kind(401, EXIT.failure, 'The admin API needs a valid bearer token.'),
  BW_ADMIN_FORBIDDEN: kind(403, EXIT.failure, 'The token of the admin API allows reading only.'),
  BW_PROJECT_WRITE: kind(500, EXIT.failure, 'The folder of a new plugin cannot be written.'),
  BW_USAGE: kind(500, EXIT.usage, 'A command was called with wrong arguments.'),
  BW_INTERNAL: kind(500, EXIT.failure, 'A defect in Backworks itself.'),
} as const satisfies Record<string, ErrorKind>;

/** A key of `ERRORS`. Codes never change. */
export type ErrorCode = keyof typeof ERRORS;

/** Optional parts of a BackworksError. */
export interface BackworksErrorOptions {
  /** What the reader can do. `String(error)` shows the hint after a dash. */
  hint?: string | undefined;
  cause?: unknown;
  /** Milliseconds until another attempt can succeed. Clients get the value in `retry-after`. */
  retryAfterMs?: number | undefined;
}

/**
 * An error with a permanent code. `String(error)` reads `code: what, where — hint`.
 *
 * @example
 * ```ts
 * import { BackworksError, loadConfig } from 'backworks';
 *
 * try {
 *   await loadConfig('missing.yaml');
 * } catch (error) {
 *   if (!(error instanceof BackworksError)) throw error;
 *   console.log(error.code, error.exitCode); // BW_CONFIG_NOT_FOUND 3
 * }
 * ```
 */
export class BackworksError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: BackworksErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'BackworksError';
    this.code = code;
    this.hint = options.hint;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** HTTP status that answers a request ended by this error. */
  get status(): number {
    return ERRORS[this.code].status;
  }

  /** Exit code of a command ended by this error. */
  get exitCode(): number {
    return ERRORS[this.code].exit;
  }

  override toString(): string {
    return this.hint === undefined
      ? `${this.code}: ${this.message}`
      : `${this.code}: ${this.message} — ${this.hint}`;
  }
}

/** Where in a plugin's life a failure happened. */
export type PluginPhase =
  | 'describe'
  | 'sandbox'
  | 'load'
  | 'initialize'
  | 'before_request'
  | 'process_endpoint'
  | 'after_response'
  | 'call'
  | 'health_check'
  | 'reconfigure'
  | 'shutdown'
  | 'idle';

/** A function that was active when a process crashed. Its texts come from the plugin's process and file: untrusted. */
export interface CrashFrame {
  /** Library and offset of the instruction, as "libweather.so+0x1139"; an address outside of any library. */
  readonly at: string;
  /** Whether it is in the plugin's own library. */
  readonly own: boolean;
  /** Null when no symbol names it. */
  readonly function: string | null;
  /** Path of the source file as the compiler recorded it. Null without debug information. */
  readonly file: string | null;
  readonly line: number | null;
}

/** What is known about a failure of a plugin. */
export interface PluginFailureDetails extends BackworksErrorOptions {
  /** The plugin's name as configured. */
  plugin: string;
  phase: PluginPhase;
  /** Signal that ended the process, such as 'SIGSEGV'. */
  signal?: string | undefined;
  /** Exit code of a process that ended itself. */
  exitStatus?: number | undefined;
  /** Last lines the process wrote to stderr, oldest first. */
  stderrTail?: readonly string[] | undefined;
  /** Where it crashed, as library+offset: in the plugin's own library, if it was active there. */
  at?: string | undefined;
  /** The functions that were active when it crashed, innermost first. */
  backtrace?: readonly CrashFrame[] | undefined;
  /** What the plugin's runtime wrote to stderr about the failure, such as the message of a panic. */
  said?: string | undefined;
  /** The system call that the sandbox forbids. */
  systemCall?: string | undefined;
  /** The request that the plugin was working on. */
  requestId?: string | undefined;
}

/** How a call or a process ended. Programs group failures by this value. */
export type PluginOutcome =
  | 'ok'
  | 'setup_error'
  | 'violation'
  | 'crashed'
  | 'exited'
  | 'timeout'
  | 'oom_suspected'
  | 'protocol_error'
  | 'failed'
  | 'bad_response';

const OUTCOMES: Partial<Record<ErrorCode, PluginOutcome>> = {
  BW_PLUGIN_VIOLATION: 'violation',
  BW_PLUGIN_CRASHED: 'crashed',
  BW_PLUGIN_EXITED: 'exited',
  BW_PLUGIN_TIMEOUT: 'timeout',
  BW_PLUGIN_MEMORY: 'oom_suspected',
  BW_PLUGIN_THREADS: 'violation',
  BW_PLUGIN_PROTOCOL: 'protocol_error',
  BW_PLUGIN_FAILED: 'failed',
  BW_PLUGIN_BAD_RESPONSE: 'bad_response',
};

/**
 * A failure of one plugin. The circuit breaker counts these failures, and post-mortems are built from them.
 * Texts may contain the plugin's own words, so each text is reduced to one line.
 *
 * @example
 * ```ts
 * import { createBackworks, parseConfig, PluginFailure } from 'backworks';
 *
 * const text = `
 * server: { port: 0 }
 * admin: { enabled: false }
 * plugins:
 *   weather: { path: ./plugins/libweather_plugin.so, critical: true, config: { default_city: 5 } }
 * `;
 * const backworks = createBackworks(parseConfig(text, { directory: process.cwd() }).config);
 * try {
 *   await backworks.start();
 * } catch (error) {
 *   if (!(error instanceof PluginFailure)) throw error;
 *   console.log(error.plugin, error.phase, error.code); // weather load BW_PLUGIN_CONFIG
 * }
 * ```
 */
export class PluginFailure extends BackworksError {
  readonly plugin: string;
  readonly phase: PluginPhase;
  readonly signal: string | undefined;
  readonly exitStatus: number | undefined;
  readonly stderrTail: readonly string[];
  readonly at: string | undefined;
  readonly backtrace: readonly CrashFrame[];
  readonly said: string | undefined;
  readonly systemCall: string | undefined;
  readonly requestId: string | undefined;

  constructor(code: ErrorCode, message: string, details: PluginFailureDetails) {
    super(code, oneLine(message), { ...details, hint: details.hint && oneLine(details.hint) });
    this.name = 'PluginFailure';
    this.plugin = details.plugin;
    this.phase = details.phase;
    this.signal = details.signal;
    this.exitStatus = details.exitStatus;
    this.stderrTail = details.stderrTail?.map(oneLine) ?? [];
    this.at = details.at && oneLine(details.at);
    this.backtrace = details.backtrace ?? [];
    this.said = details.said && oneLine(details.said);
    this.systemCall = details.systemCall;
    this.requestId = details.requestId;
  }

  get outcome(): PluginOutcome {
    return OUTCOMES[this.code] ?? 'setup_error';
  }
}

/** Converts any thrown value to a BackworksError. An unexpected value becomes BW_INTERNAL. */
export function toBackworksError(thrown: unknown): BackworksError {
  if (thrown instanceof BackworksError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new BackworksError('BW_INTERNAL', message, { cause: thrown });
}
