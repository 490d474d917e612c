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
      const { incoming, status, startedAtMs, requestBytes, responseBytes } = request;
      const seconds = (performance.now() - startedAtMs) / 1000;
      numbers.end(incoming.method!, status, seconds, requestBytes, responseBytes);
    },
  };
}
