import { STATUS_CODES } from 'node:http';
import type { BackworksConfig } from '../config/types.js';
import { DurationHistogram, type DurationSeries } from './duration-histogram.js';
import { addGauge, addMeasuredCounter, type MetricsRegistry } from './instruments.js';

/** In seconds. */
const REQUEST_BOUNDS = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The methods with series of their own. A client can send others. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const OTHER_METHOD = 'other';
/** The label of requests without an endpoint. No endpoint can have this name. */
const UNMATCHED = '(unmatched)';
/** The status of requests whose client closed the connection before the response began. No client sees it. */
export const CLIENT_CLOSED = 499;

/** The values of the label `endpoint`. Empty when the configuration does not want requests counted. */
export function countedEndpoints({ admin, endpoints }: BackworksConfig): ReadonlySet<string> {
  if (!admin.enabled || !admin.requestMetrics) return new Set();
  return new Set([...endpoints.map(({ name }) => name), UNMATCHED]);
}

const ENDPOINT = ['endpoint'];
const ENDPOINT_AND_METHOD = ['endpoint', 'method'];

/**
 * Metrics of the requests that the server answers. Only the configuration adds labels, never a client: endpoints
 * are those of the configuration, methods and statuses come from fixed lists.
 */
export class HttpMetrics {
  private readonly endpoints = new Map<string, EndpointNumbers>();
  private readonly durations: DurationHistogram;
  private names: ReadonlySet<string> = new Set();

  constructor(registry: MetricsRegistry) {
    addMeasuredCounter(
      registry,
      {
        name: 'backworks_http_requests_total',
        help: 'Requests whose response has ended, by status.',
        labels: [...ENDPOINT_AND_METHOD, 'status'],
      },
      (set) => {
        for (const { labels, statuses } of this.methods())
          for (const [status, { requests }] of statuses)
            set({ ...labels, status: statusLabel(status) }, requests);
      },
    );
    this.durations = new DurationHistogram(
      'backworks_http_request_duration_seconds',
      'Time from the head of a request to the end of its response.',
      registry,
      REQUEST_BOUNDS,
    );
    const options = { labels: ENDPOINT_AND_METHOD };
    addMeasuredCounter(
      registry,
      { ...options, name: 'backworks_http_request_bytes_total', help: 'Bytes of request bodies.' },
      (set) => {
        for (const { labels, requestBytes } of this.methods()) set(labels, requestBytes);
      },
    );
    addMeasuredCounter(
      registry,
      { ...options, name: 'backworks_http_response_bytes_total', help: 'Bytes of response bodies.' },
      (set) => {
        for (const { labels, responseBytes } of this.methods()) set(labels, responseBytes);
      },
    );
    addGauge(
      registry,
      {
        name: 'backworks_http_requests_in_flight',
        help: 'Requests that have an endpoint and whose response has not ended.',
        labels: ENDPOINT,
      },
      (set) => {
        for (const { endpoint, inFlight } of this.endpoints.values()) set({ endpoint }, inFlight);
      },
    );
  }

  /**
   * Sets which endpoints are counted. The series of another endpoint are removed as soon as none of its requests is
   * in flight.
   * @param names from countedEndpoints()
   */
  configure(names: ReadonlySet<string>): void {
    this.names = names;
    for (const name of names) this.numbers(name);
    for (const numbers of this.endpoints.values()) this.removeUnused(numbers);
  }

  /** The numbers of an endpoint. @param name null for requests without an endpoint */
  endpoint(name: string | null): EndpointNumbers {
    return this.numbers(name ?? UNMATCHED);
  }

  private numbers(name: string): EndpointNumbers {
    let numbers = this.endpoints.get(name);
    if (numbers === undefined) {
      numbers = new EndpointNumbers(name, this.durations, (idle) => this.removeUnused(idle));
      this.endpoints.set(name, numbers);
    }
    return numbers;
  }

  private removeUnused(numbers: EndpointNumbers): void {
    const { endpoint, inFlight } = numbers;
    if (inFlight > 0 || this.names.has(endpoint) || this.endpoints.get(endpoint) !== numbers) return;
    this.endpoints.delete(endpoint);
    for (const { labels } of numbers.methods.values()) this.durations.remove(labels);
  }

  private *methods(): Iterable<MethodNumbers> {
    for (const { methods } of this.endpoints.values()) yield* methods.values();
  }
}

/** What is counted of the requests of one endpoint. */
export class EndpointNumbers {
  inFlight = 0;
  readonly methods = new Map<string, MethodNumbers>();

  /** @param idle called when no request is in flight any more */
  constructor(
    readonly endpoint: string,
    private readonly durations: DurationHistogram,
    private readonly idle: (numbers: EndpointNumbers) => void,
  ) {}

  begin(): void {
    this.inFlight += 1;
  }

  /** Counts a request for which begin() was called. */
  end(method: string, status: number, seconds: number, requestBytes: number, responseBytes: number): void {
    const numbers = this.methods.get(method) ?? this.ofMethod(method);
    numbers.duration.observe(seconds);
    numbers.requestBytes += requestBytes;
    numbers.responseBytes += responseBytes;
    const known = numbers.statuses.get(status);
    if (known === undefined) numbers.statuses.set(status, { requests: 1 });
    else known.requests += 1;
    this.inFlight -= 1;
    if (this.inFlight === 0) this.idle(this);
  }

  private ofMethod(sent: string): MethodNumbers {
    const method = METHODS.has(sent) ? sent : OTHER_METHOD;
    let numbers = this.methods.get(method);
    if (numbers === undefined) {
      numbers = new MethodNumbers({ endpoint: this.endpoint, method }, this.durations);
      this.methods.set(method, numbers);
    }
    return numbers;
  }
}

class MethodNumbers {
  readonly duration: DurationSeries;
  readonly statuses = new Map<number, { requests: number }>();
  requestBytes = 0;
  responseBytes = 0;

  constructor(
    readonly labels: Readonly<Record<'endpoint' | 'method', string>>,
    durations: DurationHistogram,
  ) {
    this.duration = durations.series(labels);
  }
}

/** A plugin or proxy target can send any status. Those without a name share one label for each class: `5xx`. */
function statusLabel(status: number): string {
  if (status === CLIENT_CLOSED || STATUS_CODES[status] !== undefined) return String(status);
  return `${Math.floor(status / 100)}xx`;
}
