import type { JsonObject } from '../config/types.js';
import { ERRORS, type BackworksError, type ErrorCode, PluginFailure, type PluginPhase } from '../errors.js';
import type { BufferedResponse } from './documents/response-document.js';

/** Errors whose message is for the log: a defect of the server, and a plugin's own words, which may hold secrets. */
const FOR_THE_LOG: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['BW_INTERNAL', 'BW_PLUGIN_FAILED']);

/**
 * The RFC 9457 problem document for an error.
 * @param instance the request's path.
 * @param hints whether hints are included, for an operator
 * @param members further members of the document
 */
export function problem(
  error: BackworksError,
  instance: string,
  requestId: string,
  hints = false,
  members: JsonObject = {},
): BufferedResponse {
  const detail = FOR_THE_LOG.has(error.code)
    ? 'The server log has the cause under this request id.'
    : error.message;
  const document = {
    type: `urn:backworks:error:${error.code}`,
    title: ERRORS[error.code].summary,
    status: error.status,
    detail,
    instance,
    code: error.code,
    ...(hints && error.hint !== undefined ? { hint: error.hint } : undefined),
    ...(error instanceof PluginFailure ? { plugin: error.plugin } : undefined),
    request_id: requestId,
    ...members,
  };
  const headers: BufferedResponse['headers'] = { 'content-type': 'application/problem+json' };
  const retryAfterMs = error.status === UNAVAILABLE ? retryAfter(error) : undefined;
  if (retryAfterMs !== undefined)
    headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
  return { status: error.status, headers, body: JSON.stringify(document) };
}

const UNAVAILABLE = 503;
/** Failures that end a process of a plugin. Another process replaces it, usually at once. */
const PROCESS_ENDED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'BW_PLUGIN_CRASHED',
  'BW_PLUGIN_EXITED',
  'BW_PLUGIN_VIOLATION',
  'BW_PLUGIN_MEMORY',
  'BW_PLUGIN_PROTOCOL',
]);
/** Phases of a serving plugin. A plugin that fails in another phase does not start again by itself. */
const SERVING: ReadonlySet<PluginPhase> = new Set<PluginPhase>([
  'before_request',
  'process_endpoint',
  'after_response',
  'call',
  'idle',
]);

/** Milliseconds until a retry may succeed; undefined when this is unknown. */
function retryAfter(error: BackworksError): number | undefined {
  const { retryAfterMs } = error;
  if (retryAfterMs !== undefined) return Number.isFinite(retryAfterMs) ? retryAfterMs : undefined;
  const isReplaced =
    error instanceof PluginFailure && PROCESS_ENDED.has(error.code) && SERVING.has(error.phase);
  return isReplaced ? 0 : undefined;
}
