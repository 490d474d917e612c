import {
  BackworksError,
  type ErrorCode,
  PluginFailure,
  type PluginPhase,
  toBackworksError,
} from '../errors.js';
import type { Log } from '../log.js';
import type { BackworksPlugin } from '../plugins/plugin.js';
import type { IncomingRequest } from './documents/incoming-request.js';
import { problem } from './problem.js';
import type { BufferedResponse } from './documents/response-document.js';

/** Handles failures of requests. When the client has disconnected, errors are passed on unchanged. */
export class Failures {
  constructor(private readonly log: Log) {}

  /** The problem document for an error with a code. Other errors are defects and are thrown again. */
  problem(error: unknown, request: IncomingRequest): BufferedResponse {
    if (request.cancelled || !(error instanceof BackworksError)) throw error;
    const fields = { code: error.code, requestId: request.id, endpoint: request.endpoint?.name };
    // A PluginFailure of a running plugin was logged when it happened.
    if (error.code.startsWith('BW_PROXY_') || error.code === 'BW_FILE_READ')
      this.log.warn(fields, error.message);
    else this.log.debug(fields, error.message);
    return problem(error, request.path, request.id);
  }

  /** Converts whatever a plugin's method threw to that plugin's failure, and logs it. */
  failure(
    plugin: BackworksPlugin,
    phase: PluginPhase,
    error: unknown,
    request: IncomingRequest,
  ): PluginFailure {
    if (request.cancelled) throw error;
    const failure = asFailure(plugin.name, phase, error);
    const { code } = failure;
    const outcome = UNTRIED.has(code) ? undefined : failure.outcome;
    const fields = { plugin: plugin.name, hook: phase, code, outcome, requestId: request.id };
    if (failure.code === 'BW_INTERNAL') this.log.error({ ...fields, err: failure.cause }, failure.message);
    else if (LOGGED_AT_ONSET.has(code)) this.log.debug(fields, failure.message);
    else this.log.warn(fields, failure.message);
    return failure;
  }
}

/** Failures of calls that reached no process, so that there is no outcome to report. */
const UNTRIED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'BW_INTERNAL',
  'BW_PLUGIN_UNAVAILABLE',
  'BW_PLUGIN_OVERLOADED',
  'BW_PLUGIN_CIRCUIT_OPEN',
  'BW_PLUGIN_QUARANTINED',
]);

/** Failures that affect every request; they are logged when they begin. */
const LOGGED_AT_ONSET: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'BW_PLUGIN_CIRCUIT_OPEN',
  'BW_PLUGIN_QUARANTINED',
]);

function asFailure(plugin: string, phase: PluginPhase, error: unknown): PluginFailure {
  if (error instanceof PluginFailure) return error;
  const { code, message } = toBackworksError(error);
  return new PluginFailure(code, `plugin ${plugin}: ${message}`, { plugin, phase, cause: error });
}
