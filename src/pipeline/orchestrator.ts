import {
  BackworksError,
  type ErrorCode,
  PluginFailure,
  type PluginPhase,
  toBackworksError,
} from '../errors.js';
import type { EndpointConfig } from '../config/types.js';
import type { Log } from '../log.js';
import type { Awaitable, BackworksPlugin, CanaryPlugin, PluginResponse } from '../plugins/plugin.js';
import { InvalidAnswer } from '../plugins/response-check.js';
import { attempt, follow } from './attempt.js';
import { type FailureReport, askAll, askNamed, notFound } from './endpoints/plugins.js';
import { ProxyEndpoint } from './endpoints/proxy.js';
import { StaticEndpoint } from './endpoints/static.js';
import type { IncomingRequest } from './incoming-request.js';
import { refuseCancelled } from './cancelled.js';
import type { PluginSet } from './plugin-set.js';
import { problem } from './problem.js';
import { RequestDocument } from './request-document.js';
import { type BufferedResponse, ResponseDocument, buffered } from './response-document.js';
import { TrafficSplit } from './traffic-split.js';

export interface OrchestratorOptions {
  /** Longest request body, and longest streamed response body that after_response hooks may see. */
  readonly bodyLimitBytes: number;
  readonly log: Log;
}

/** A request on its way, with the plugins it began with. */
interface Exchange {
  readonly request: IncomingRequest;
  readonly plugins: PluginSet;
  /** Null when nobody looks at the request. */
  readonly document: RequestDocument | null;
}

interface Looked extends Exchange {
  readonly document: RequestDocument;
}

/** Leads a request through before_request ▶ endpoint ▶ after_response. */
export class PluginOrchestrator {
  #bodyLimitBytes: number;
  readonly #log: Log;
  readonly #prepared = new WeakMap<EndpointConfig, StaticEndpoint | ProxyEndpoint | null>();
  #plugins: TrafficSplit;
  /** Resolves when the requests have ended that began before the last change of the plugins. */
  #former: Promise<unknown> = Promise.resolve();

  constructor({ bodyLimitBytes, log }: OrchestratorOptions) {
    this.#bodyLimitBytes = bodyLimitBytes;
    this.#log = log;
    this.#plugins = new TrafficSplit([], [], bodyLimitBytes);
  }

  /**
   * Replaces the plugins for requests that begin from now on.
   * @param canaries versions that some of the requests get in the place of the plugin of their name
   * @param bodyLimitBytes as it was, unless another one is given
   * @returns resolves when every request has ended that began before
   */
  async setPlugins(
    plugins: readonly BackworksPlugin[],
    {
      canaries = [],
      bodyLimitBytes = this.#bodyLimitBytes,
    }: { readonly canaries?: readonly CanaryPlugin[]; readonly bodyLimitBytes?: number } = {},
  ): Promise<void> {
    const former = this.#plugins;
    this.#bodyLimitBytes = bodyLimitBytes;
    this.#plugins = new TrafficSplit(plugins, canaries, bodyLimitBytes);
    await (this.#former = Promise.all([this.#former, former.idle()]));
  }

  /** The plugins a request is to have that begins now. Call end() on them when it has its answer. */
  begin(): PluginSet {
    return this.#plugins.next().begin();
  }

  /**
   * Makes an endpoint ready to answer; otherwise its first request does.
   * @throws BackworksError BW_CONFIG_INVALID when it cannot work.
   */
  prepare(endpoint: EndpointConfig): StaticEndpoint | ProxyEndpoint | null {
    let prepared = this.#prepared.get(endpoint);
    if (prepared === undefined) {
      prepared = build(endpoint);
      this.#prepared.set(endpoint, prepared);
    }
    return prepared;
  }

  /**
   * Answers a request, at once when no plugin keeps it waiting. Fails only on a defect of the server itself,
   * and when the client has gone.
   * @param plugins what begin() gave
   */
  handle(request: IncomingRequest, plugins = this.#plugins.next()): Awaitable<PluginResponse> {
    if (!needsDocument(request, plugins)) return this.#answer({ request, plugins, document: null });
    const opened = attempt(
      () => (request.hasBody ? request.readBody(plugins.bodyLimitBytes) : null),
      (bytes): Looked => ({ request, plugins, document: new RequestDocument(request, bytes) }),
      (error) => this.#problem(error, request),
    );
    return follow(opened, (exchange) => ('document' in exchange ? this.#ask(exchange, 0) : exchange));
  }

  /** Runs the before_request hooks from the `index`th on, then what comes after them. */
  #ask(exchange: Looked, index: number): Awaitable<PluginResponse> {
    refuseCancelled(exchange.request);
    const station = exchange.plugins.beforeRequest[index];
    if (station === undefined) return this.#answer(exchange);
    return follow(this.#beforeRequest(station.plugin, exchange), (answer) =>
      answer === null
        ? this.#ask(exchange, index + 1)
        : this.#afterResponse(answer, exchange, station.position),
    );
  }

  #answer(exchange: Exchange): Awaitable<PluginResponse> {
    const answer = this.#endpoint(exchange);
    if (exchange.plugins.afterResponse.length === 0) return answer;
    return follow(answer, (response) => this.#afterResponse(response, exchange, Infinity));
  }

  /** The answer that ends the request here, or null to go on. */
  #beforeRequest(plugin: BackworksPlugin, { request, document }: Looked): Awaitable<PluginResponse | null> {
    return attempt(
      () => plugin.beforeRequest(document.toJson(), request),
      (decision) => {
        if (decision === null) return null;
        if (decision.kind === 'respond') return decision.response;
        document.merge(decision.patch);
        return null;
      },
      (error) => {
        const failure = this.#failure(plugin, 'before_request', error, request);
        return plugin.critical ? problem(failure, request.path, request.id) : null;
      },
    );
  }

  #endpoint({ request, document, plugins }: Exchange): Awaitable<PluginResponse> {
    const { endpoint, refusal } = request;
    refuseCancelled(request);
    if (refusal !== null) return refusal;
    return attempt(
      () => {
        const prepared = endpoint === null ? null : this.prepare(endpoint);
        if (prepared instanceof StaticEndpoint) return prepared.respond();
        if (prepared !== null) return prepared.respond(request, document, plugins.bodyLimitBytes);
        if (document === null) throw notFound(request.method, request.path);
        const report: FailureReport = (plugin, error) =>
          this.#failure(plugin, 'process_endpoint', error, request);
        return endpoint?.target.kind === 'plugin'
          ? askNamed(endpoint.target.plugin, endpoint, request, document, plugins, report)
          : askAll(request, document, plugins.endpoints, report);
      },
      (response) => response,
      (error) => this.#problem(error, request),
    );
  }

  /** Runs the hooks of the plugins that stand before `position` on the way in, last one first. */
  #afterResponse(response: PluginResponse, exchange: Exchange, position: number): Awaitable<PluginResponse> {
    const { afterResponse } = exchange.plugins;
    const first = afterResponse.findIndex((station) => station.position < position);
    if (first === -1) return response;
    return follow(this.#responseDocument(response, exchange), (document) =>
      this.#tell(document, exchange, first),
    );
  }

  /** Runs the after_response hooks from the `index`th on. */
  #tell(document: ResponseDocument, exchange: Exchange, index: number): Awaitable<PluginResponse> {
    const station = exchange.plugins.afterResponse[index];
    if (station === undefined) return document.toResponse();
    refuseCancelled(exchange.request);
    const { plugin } = station;
    const { request } = exchange;
    const told = attempt(
      () => plugin.afterResponse(document.toJson(), request),
      (patch) => {
        if (patch !== null) document.merge(patch);
      },
      (error) => {
        const failure = this.#failure(plugin, 'after_response', error, request);
        if (plugin.critical) document.replace(problem(failure, request.path, request.id));
      },
    );
    return follow(told, () => this.#tell(document, exchange, index + 1));
  }

  /** The document for after_response; of the problem instead when a streamed body cannot be read. */
  #responseDocument(
    response: PluginResponse,
    { request, document, plugins }: Exchange,
  ): Awaitable<ResponseDocument> {
    const { method, path } = document ?? request;
    const facts = { id: request.id, method, path, route: request.endpoint?.path ?? null };
    const context = document === null ? {} : document.context;
    return attempt(
      () => buffered(response, plugins.bodyLimitBytes),
      (whole) => new ResponseDocument(whole, facts, context),
      (error) => new ResponseDocument(this.#problem(error, request), facts, context),
    );
  }

  /** The problem document for an error that has a code; others are defects and go on. */
  #problem(error: unknown, request: IncomingRequest): BufferedResponse {
    if (request.cancelled || !(error instanceof BackworksError)) throw error;
    const fields = { code: error.code, requestId: request.id, endpoint: request.endpoint?.name };
    // A PluginFailure of a running plugin was logged when it happened.
    if (error.code.startsWith('BW_PROXY_')) this.#log.warn(fields, error.message);
    else this.#log.debug(fields, error.message);
    return problem(error, request.path, request.id);
  }

  /** Whatever a plugin's method threw, as that plugin's failure, logged. */
  #failure(
    plugin: BackworksPlugin,
    phase: PluginPhase,
    error: unknown,
    request: IncomingRequest,
  ): PluginFailure {
    if (request.cancelled) throw error;
    const failure = asFailure(plugin.name, phase, error);
    const { code } = failure;
    const outcome = UNTRIED.has(code) ? undefined : failure.outcome;
    const fields = { plugin: plugin.name, hook: phase, code, outcome, requestId: request.id };
    if (failure.code === 'BW_INTERNAL') this.#log.error({ ...fields, err: failure.cause }, failure.message);
    else if (failure.code === 'BW_PLUGIN_CIRCUIT_OPEN') this.#log.debug(fields, failure.message);
    else this.#log.warn(fields, failure.message);
    return failure;
  }
}

/** Failures of calls that reached no process, of which there is no outcome to tell. */
const UNTRIED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'BW_INTERNAL',
  'BW_PLUGIN_UNAVAILABLE',
  'BW_PLUGIN_OVERLOADED',
  'BW_PLUGIN_CIRCUIT_OPEN',
]);

/** Whether anybody will look at the request; if not, it is never built and its body can stream. */
function needsDocument(request: IncomingRequest, plugins: PluginSet): boolean {
  if (plugins.beforeRequest.length > 0) return true;
  if (request.refusal !== null) return false;
  const kind = request.endpoint === null ? 'any-plugin' : request.endpoint.target.kind;
  return kind === 'plugin' || (kind === 'any-plugin' && plugins.endpoints.length > 0);
}

function build({ name, target }: EndpointConfig): StaticEndpoint | ProxyEndpoint | null {
  if (target.kind === 'static') return new StaticEndpoint(name, target.response);
  return target.kind === 'proxy' ? new ProxyEndpoint(name, target.target, target.timeoutMs) : null;
}

function asFailure(plugin: string, phase: PluginPhase, error: unknown): PluginFailure {
  if (error instanceof PluginFailure) return error;
  const unusable = error instanceof InvalidAnswer;
  const { code, message } = unusable
    ? {
        code: 'BW_PLUGIN_BAD_RESPONSE' as const,
        message: `its answer to ${phase} cannot be used: ${error.message}`,
      }
    : toBackworksError(error);
  return new PluginFailure(code, `plugin ${plugin}: ${message}`, { plugin, phase, cause: error });
}
