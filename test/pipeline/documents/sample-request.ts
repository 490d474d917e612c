import { Readable } from 'node:stream';
import type { EndpointConfig, EndpointTarget } from '../../../dist/config/types.js';
import type { IncomingRequest } from '../../../dist/pipeline/documents/incoming-request.js';
import { RouteMatch } from '../../../dist/pipeline/documents/route-match.js';

/** A request as the server would pass it to the pipeline, without a server. */
export function sampleRequest(
  parts: Partial<IncomingRequest> & { body?: string | Buffer; params?: Record<string, string> } = {},
): IncomingRequest {
  const body = Buffer.from(parts.body ?? '');
  const { method = 'GET', path = '/things/1', endpoint = null, params } = parts;
  return {
    id: 'request-1',
    cancelled: false,
    trace: null,
    call: null,
    method,
    path,
    search: '',
    scheme: 'http',
    rawHeaders: [],
    remote: { address: '192.0.2.1', port: 5000 },
    peer: { address: '192.0.2.1', port: 5000 },
    tlsJson: null,
    stated: null,
    endpoint,
    match: new RouteMatch(method, path, endpoint, params),
    refusal: null,
    gate: null,
    answeredBy: null,
    hasBody: body.length > 0,
    signal: new AbortController().signal,
    readBody: async () => body,
    bodyStream: () => Readable.from([body]),
    rawTrailers: [],
    awaitsContinue: false,
    sendEarlyHints: () => undefined,
    ...parts,
  };
}

export function endpoint(
  path: string,
  target: EndpointTarget,
  methods: EndpointConfig['methods'] = [],
): EndpointConfig {
  return { name: path, path, methods, bodyLimitBytes: null, target, hooks: [] };
}

export function staticEndpoint(
  path: string,
  body: string,
  methods: EndpointConfig['methods'] = [],
): EndpointConfig {
  return endpoint(path, { kind: 'static', response: { status: 200, headers: {}, body } }, methods);
}
