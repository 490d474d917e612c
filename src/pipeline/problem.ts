import { ERRORS, type BackworksError, PluginFailure } from '../errors.js';
import type { BufferedResponse } from './documents/response-document.js';

/**
 * An RFC 9457 problem document for an error. A defect of the server is not described: its message is
 * for the log.
 * @param instance the request's path.
 * @param hints what to do is told too, to an operator
 */
export function problem(
  error: BackworksError,
  instance: string,
  requestId: string,
  hints = false,
): BufferedResponse {
  const detail =
    error.code === 'BW_INTERNAL' ? 'The server log has the cause under this request id.' : error.message;
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
  };
  return {
    status: error.status,
    headers: { 'content-type': 'application/problem+json' },
    body: JSON.stringify(document),
  };
}
