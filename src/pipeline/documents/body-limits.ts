import { BackworksError } from '../../errors.js';
import { rawHeader } from './header-map.js';
import type { BodyLimits, IncomingRequest } from './incoming-request.js';

/**
 * The limits for the body of a request: the endpoint's own, or else the server's.
 * @param server the server's limits when the request began
 * @throws BackworksError BW_REQUEST_BODY_TOO_LARGE when the announced length exceeds the limit
 */
export function bodyLimits(
  { endpoint, rawHeaders }: Pick<IncomingRequest, 'endpoint' | 'rawHeaders'>,
  { bodyLimitBytes: serverLimitBytes, bodyTimeoutMs }: BodyLimits,
): BodyLimits {
  const bodyLimitBytes = endpoint?.bodyLimitBytes ?? serverLimitBytes;
  if (Number(rawHeader(rawHeaders, 'content-length') ?? 0) > bodyLimitBytes)
    throw bodyTooLarge(bodyLimitBytes);
  return { bodyLimitBytes, bodyTimeoutMs };
}

export function bodyTooLarge(limitBytes: number): BackworksError {
  return new BackworksError('BW_REQUEST_BODY_TOO_LARGE', `the body is longer than ${limitBytes} bytes`);
}
