import type { AccessLog } from '../access-log/access-log.js';
import type { HttpMetrics } from '../metrics/http-metrics.js';
import type { RequestObserver } from './observed-request.js';

/** Counts requests. */
export function countRequests(metrics: HttpMetrics): RequestObserver {
  return {
    routed(request, endpoint) {
      request.numbers = metrics.endpoint(endpoint === null ? null : endpoint.name);
      request.numbers.begin();
    },
    ended(request) {
      let { numbers } = request;
      if (numbers === null) {
        numbers = metrics.endpoint(null);
        numbers.begin();
      }
      const { method, status, durationMs, requestBytes, responseBytes } = request;
      numbers.end(method, status, durationMs / 1000, requestBytes, responseBytes);
    },
  };
}

/** Logs requests. */
export function logRequests(log: AccessLog): RequestObserver {
  return { routed: () => undefined, ended: (request) => log.write(request) };
}

/** Does both, in this order. */
export function both(first: RequestObserver, second: RequestObserver): RequestObserver {
  return {
    routed(request, endpoint) {
      first.routed(request, endpoint);
      second.routed(request, endpoint);
    },
    ended(request) {
      first.ended(request);
      second.ended(request);
    },
  };
}
