import type { AccessLog } from '../access-log/access-log.js';
import type { EndpointConfig } from '../config/types.js';
import type { HttpMetrics } from '../metrics/http-metrics.js';
import type { TracedRequest, Tracer } from '../tracing/tracer.js';
import type { ObservedRequest, RequestObserver } from './observed-request.js';

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

/** Makes spans of requests. */
export function traceRequests(tracer: Tracer): RequestObserver {
  return {
    routed: (observed, endpoint) =>
      observed.request?.joinTrace(tracer.begin(tracedFacts(observed, endpoint))),
    ended(observed) {
      const trace = observed.request?.trace ?? tracer.begin(tracedFacts(observed, null));
      const endedAtMs = observed.startedAtMs + observed.durationMs;
      const { status, isComplete, responseBytes, plugin } = observed;
      trace.end({ status, isComplete, responseBytes, plugin, endedAtMs });
    },
  };
}

function tracedFacts(observed: ObservedRequest, endpoint: EndpointConfig | null): TracedRequest {
  const { request, incoming, method, path, client, requestId, rawHeaders, startedAtMs } = observed;
  const { httpVersion, headers } = incoming;
  return {
    method,
    path,
    client,
    rawHeaders,
    startedAtMs,
    httpVersion,
    id: requestId,
    scheme: request?.stated?.scheme ?? request?.scheme ?? 'http',
    route: endpoint?.path ?? null,
    endpoint: endpoint?.name ?? null,
    userAgent: headers['user-agent'],
  };
}

/** Does everything that the observers do, in their order. @returns null without observers */
export function allOf(observers: readonly RequestObserver[]): RequestObserver | null {
  if (observers.length < 2) return observers[0] ?? null;
  return {
    routed(request, endpoint) {
      for (const observer of observers) observer.routed(request, endpoint);
    },
    ended(request) {
      for (const observer of observers) observer.ended(request);
    },
  };
}
