import type { EndpointConfig } from '../config/types.js';
import type { RecordedRequest } from './recorded-request.js';

const HEADERS: RecordedRequest['headers'] = [
  ['host', 'localhost'],
  ['user-agent', 'backworks-profile'],
  ['accept', '*/*'],
];
const JSON_HEADERS: RecordedRequest['headers'] = [...HEADERS, ['content-type', 'application/json']];
const WITHOUT_BODY = ['GET', 'HEAD', 'OPTIONS', 'DELETE'];
const ANY_METHOD = ['GET', 'POST'];

/**
 * Requests for a profile without a recording: each method of each endpoint, with a small and a medium body where
 * the method has one. The result is always the same.
 */
export function generateRequests(endpoints: readonly EndpointConfig[]): RecordedRequest[] {
  const routes =
    endpoints.length > 0 ? endpoints : [{ path: '/profile/{name}', methods: [] as readonly string[] }];
  return routes.flatMap(({ path, methods }) =>
    (methods.length > 0 ? methods : ANY_METHOD).flatMap((method) => requestsFor(method, path)),
  );
}

function requestsFor(method: string, path: string): RecordedRequest[] {
  const target = (round: number): string =>
    path.replace(/\{[^{}/]+\}/g, (name) => `${name.slice(1, -1)}-${round}`).replace(/\*$/, `rest-${round}`);
  if (WITHOUT_BODY.includes(method)) {
    return [
      { method, target: target(1), headers: HEADERS, body: null },
      { method, target: `${target(2)}?page=2&sort=name`, headers: HEADERS, body: null },
    ];
  }
  return [1, 100].map((items) => ({
    method,
    target: target(items),
    headers: JSON_HEADERS,
    body: body(items),
  }));
}

/** About 60 bytes per item. */
function body(count: number): string {
  const items = Array.from({ length: count }, (_, id) => ({ id, name: `item ${id}`, tags: ['a', 'b'] }));
  return JSON.stringify({ items });
}
