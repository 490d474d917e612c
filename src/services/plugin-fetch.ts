import { addCounter, type CounterInstrument, type MetricsRegistry } from '../metrics/instruments.js';
import type { FetchLimits } from '../native/plugin.js';
import { FetchError } from './fetch-error.js';
import { type FetchRequest, readFetchRequest } from './fetch-request.js';
import { fetchedDocument } from './fetch-response.js';

/** Requests of one plugin that are in flight at the same time. */
const IN_FLIGHT_MAX = 64;
const REDIRECTS_MAX = 5;
/** The longest time of a request when the call of the plugin has no deadline. */
const TIME_MAX_MS = 30_000;
/** A request ends this much before the deadline of its call, so that the plugin can still answer. */
const TIME_TO_ANSWER_MS = 50;
const TIME_TO_ANSWER_SHARE = 0.1;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const SEE_OTHER = 303;
const KEEPS_METHOD: ReadonlySet<number> = new Set([307, 308]);
/** Headers that another origin may get after a redirect. Any other header may be a secret. */
const KEPT_HEADERS = /^(accept|accept-language|content-language|content-type|user-agent)$/;
const ORIGIN_SHOWN_MAX = 256;

export interface PluginFetchOptions {
  readonly plugin: string;
  /** permissions.network.fetch */
  readonly origins: readonly string[];
  /** The plugin asked for another origin. */
  readonly refused: (origin: string) => void;
}

/** Sends one request, as the global fetch() does. */
export type HttpFetch = (url: string, init: HttpFetchInit) => Promise<Response>;

export type HttpFetchInit = Pick<FetchRequest, 'method' | 'headers' | 'body'> & {
  readonly signal: AbortSignal;
  readonly redirect: 'manual';
};

/** Performs http_fetch() for one plugin. */
export type PluginFetch = (requestJson: string, limits: FetchLimits) => Promise<string>;

/** Makes HTTP requests for plugins, to the origins that the operator grants. */
export class PluginFetches {
  private readonly requests: CounterInstrument;

  /** @param http sends the requests; default: the global fetch() */
  constructor(
    metrics: MetricsRegistry,
    private readonly http: HttpFetch = fetch,
  ) {
    this.requests = addCounter(metrics, {
      name: 'backworks_plugin_fetches_total',
      help: 'HTTP requests that the server made or refused for plugins, by result: answered, failed or refused.',
      labels: ['plugin', 'result'],
    });
  }

  /** @returns performs http_fetch() for one plugin; never rejects */
  of(options: PluginFetchOptions): PluginFetch {
    const { plugin, refused } = options;
    let inFlight = 0;
    return async (requestJson, limits) => {
      inFlight += 1;
      let result = 'answered';
      try {
        if (inFlight > IN_FLIGHT_MAX) throw new FetchError(`more than ${IN_FLIGHT_MAX} requests in flight`);
        return await perform(this.http, readFetchRequest(requestJson), options, limits);
      } catch (thrown) {
        const error = thrown instanceof FetchError ? thrown : new FetchError(reasonOf(thrown));
        const { refusedOrigin } = error;
        result = refusedOrigin === null ? 'failed' : 'refused';
        if (refusedOrigin !== null) refused(refusedOrigin.slice(0, ORIGIN_SHOWN_MAX));
        return JSON.stringify({ error: error.message });
      } finally {
        inFlight -= 1;
        this.requests.add({ plugin, result });
      }
    };
  }
}

async function perform(
  http: HttpFetch,
  request: FetchRequest,
  { origins }: PluginFetchOptions,
  { deadlineAtMs, signal }: FetchLimits,
): Promise<string> {
  checkOrigin(request.url, origins);
  const leftMs = timeLeft(deadlineAtMs);
  const limitMs = Math.max(1, Math.floor(Math.min(request.timeoutMs ?? leftMs, leftMs)));
  const limit = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  try {
    return await fetchedDocument(await follow(http, request, origins, limit));
  } catch (thrown) {
    if (thrown instanceof FetchError) throw thrown;
    if (limit.aborted) throw new FetchError(`no complete response within ${limitMs} ms`);
    throw new FetchError(`the request to ${request.url.origin} failed: ${reasonOf(thrown)}`);
  }
}

function timeLeft(deadlineAtMs: number): number {
  const leftMs = deadlineAtMs - performance.now();
  if (leftMs === Infinity) return TIME_MAX_MS;
  return leftMs - Math.min(TIME_TO_ANSWER_MS, leftMs * TIME_TO_ANSWER_SHARE);
}

/** @throws FetchError unless the origin is granted */
function checkOrigin({ origin }: URL, origins: readonly string[]): void {
  if (origins.includes(origin)) return;
  throw new FetchError(`permissions.network.fetch does not grant ${origin}`, origin);
}

/** Sends the request, and follows redirects as long as they lead to granted origins. */
async function follow(
  http: HttpFetch,
  request: FetchRequest,
  origins: readonly string[],
  signal: AbortSignal,
): Promise<Response> {
  let { method, url, body } = request;
  let headers = request.headers;
  for (let redirects = 0; ; redirects += 1) {
    const response = await http(url.href, { method, headers, body, signal, redirect: 'manual' });
    const location = response.headers.get('location');
    if (!REDIRECTS.has(response.status) || location === null) return response;
    await response.body?.cancel();
    if (redirects === REDIRECTS_MAX) throw new FetchError(`more than ${REDIRECTS_MAX} redirects`);
    const next = redirectTarget(location, url);
    checkOrigin(next, origins);
    if (becomesGet(response.status, method)) {
      method = 'GET';
      body = null;
      headers = without(headers, (name) => name.startsWith('content-'));
    }
    if (next.origin !== url.origin) headers = without(headers, (name) => !KEPT_HEADERS.test(name));
    url = next;
  }
}

/** @throws FetchError unless the location is an http or https URL without a user name */
function redirectTarget(location: string, from: URL): URL {
  if (!URL.canParse(location, from.href)) throw new FetchError('the redirect has no usable location');
  const target = new URL(location, from);
  const isPlain = target.username === '' && target.password === '';
  if (!isPlain || (target.protocol !== 'http:' && target.protocol !== 'https:'))
    throw new FetchError('the redirect leads to a location that is not a plain http or https URL');
  return target;
}

/** As browsers do it: after 301 and 302 only a POST becomes a GET. */
function becomesGet(status: number, method: string): boolean {
  if (KEEPS_METHOD.has(status)) return false;
  return status === SEE_OTHER ? method !== 'HEAD' : method === 'POST';
}

function without(headers: Headers, isDropped: (name: string) => boolean): Headers {
  return new Headers([...headers].filter(([name]) => !isDropped(name)));
}

/** The cause of a TypeError of fetch(), such as ECONNREFUSED. */
function reasonOf(thrown: unknown): string {
  const { cause, message } = thrown as { cause?: { code?: unknown; message?: unknown }; message?: unknown };
  const reason = cause?.code ?? cause?.message ?? message;
  return typeof reason === 'string' ? reason : 'unknown error';
}
