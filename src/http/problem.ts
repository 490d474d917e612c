import { type BackworksError, toBackworksError } from '../errors.js';
import type { Log } from '../log.js';
import { problem } from '../pipeline/problem.js';
import type { BufferedResponse } from '../pipeline/documents/response-document.js';

/**
 * The RFC 9457 problem document for a thrown value. For a defect of the server, the stack is logged and not
 * described to the client.
 * @param instance the request's path.
 * @param hints whether hints are included, for an operator
 */
export function problemOf(
  thrown: unknown,
  instance: string,
  requestId: string,
  log: Log,
  hints = false,
): BufferedResponse {
  const error: BackworksError = toBackworksError(thrown);
  if (error.code === 'BW_INTERNAL')
    log.error(
      { requestId, path: instance, err: thrown },
      'unexpected error in the server itself; the client gets a 500',
    );
  return problem(error, instance, requestId, hints);
}

/** The same for Hono. */
export function problemResponse(
  thrown: unknown,
  instance: string,
  requestId: string,
  log: Log,
  hints = false,
): Response {
  const { status, headers, body } = problemOf(thrown, instance, requestId, log, hints);
  return new Response(body as string, {
    status,
    headers: { ...(headers as Record<string, string>), 'x-request-id': requestId },
  });
}
