import { BackworksError, type PluginPhase, PluginFailure, toBackworksError } from '../errors.js';
import type { EndpointConfig } from '../config/types.js';
import type { Log } from '../log.js';
import type { BackworksPlugin, PluginResponse } from '../plugins/plugin.js';
import { InvalidAnswer } from '../plugins/response-check.js';
import { type FailureReport, askAll, askNamed, notFound } from './endpoints/plugins.js';
import { ProxyEndpoint } from './endpoints/proxy.js';
import { StaticEndpoint } from './endpoints/static.js';
import type { IncomingRequest } from './incoming-request.js';
import { PluginSet } from './plugin-set.js';
import { problem } from './problem.js';
import { RequestDocument } from './request-document.js';
import { type BufferedResponse, ResponseDocument, buffered } from './response-document.js';

export interface OrchestratorOptions {
  /** Longest request body, and longest streamed response body that after_response hooks may see. */
  readonly bodyLimitBytes: number;
  readonly log: Log;
}

/** Leads a request through before_request ▶ endpoint ▶ after_response. */
export class PluginOrchestrator {
  readonly #bodyLimitBytes: number;
  readonly #log: Log;
  readonly #prepared = new WeakMap<EndpointConfig, StaticEndpoint | ProxyEndpoint | null>();
  #plugins = new PluginSet([]);

  constructor({ bodyLimitBytes, log }: OrchestratorOptions) {
    this.#bodyLimitBytes = bodyLimitBytes;
    this.#log = log;
  }

  /** Replaces the plugins for requests that begin from now on. */
  setPlugins(plugins: readonly BackworksPlugin[]): void {
    this.#plugins = new PluginSet(plugins);
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

  /** Answers a request. Rejects only on a defect of the server itself. */
  async handle(request: IncomingRequest): Promise<PluginResponse> {
    const plugins = this.#plugins;
    let document: RequestDocument | null = null;
    if (needsDocument(request, plugins)) {
      try {
        const bytes = request.hasBody ? await request.readBody(this.#bodyLimitBytes) : null;
        document = new RequestDocument(request, bytes);
      } catch (error) {
        return this.#problem(error, request);
      }
      for (const { plugin, position } of plugins.beforeRequest) {
        const answer = await this.#beforeRequest(plugin, request, document);
        if (answer !== null) return this.#afterResponse(answer, request, document, plugins, position);
      }
    }
    const response = await this.#endpoint(request, document, plugins);
    return plugins.afterResponse.length === 0
      ? response
      : this.#afterResponse(response, request, document, plugins, Infinity);
  }

  /** Resolves to the answer that ends the request here, or null to go on. */
  async #beforeRequest(
    plugin: BackworksPlugin,
    request: IncomingRequest,
    document: RequestDocument,
  ): Promise<PluginResponse | null> {
    try {
      const decision = await plugin.beforeRequest(document.toJson(), request.id);
      if (decision === null) return null;
      if (decision.kind === 'respond') return decision.response;
      document.merge(decision.patch);
      return null;
    } catch (error) {
      const failure = this.#failure(plugin, 'before_request', error, request);
      return plugin.critical ? problem(failure, request.path, request.id) : null;
    }
  }

  async #endpoint(
    request: IncomingRequest,
    document: RequestDocument | null,
    plugins: PluginSet,
  ): Promise<PluginResponse> {
    if (request.refusal !== null) return request.refusal;
    const { endpoint } = request;
    try {
      const prepared = endpoint === null ? null : this.prepare(endpoint);
      if (prepared instanceof StaticEndpoint) return prepared.respond();
      if (prepared !== null) return await prepared.respond(request, document, this.#bodyLimitBytes);
      if (document === null) throw notFound(request.method, request.path);
      const report: FailureReport = (plugin, error) =>
        this.#failure(plugin, 'process_endpoint', error, request);
      return endpoint?.target.kind === 'plugin'
        ? await askNamed(endpoint.target.plugin, endpoint, document, plugins, report)
        : await askAll(endpoint, document, plugins.endpoints, report);
    } catch (error) {
      return this.#problem(error, request);
    }
  }

  /** Runs the hooks of the plugins that stand before `position` on the way in, last one first. */
  async #afterResponse(
    response: PluginResponse,
    request: IncomingRequest,
    document: RequestDocument | null,
    plugins: PluginSet,
    position: number,
  ): Promise<PluginResponse> {
    let answer: ResponseDocument | null = null;
    for (const station of plugins.afterResponse) {
      if (station.position >= position) continue;
      answer ??= await this.#responseDocument(response, request, document);
      try {
        const patch = await station.plugin.afterResponse(answer.toJson(), request.id);
        if (patch !== null) answer.merge(patch);
      } catch (error) {
        const failure = this.#failure(station.plugin, 'after_response', error, request);
        if (station.plugin.critical) answer.replace(problem(failure, request.path, request.id));
      }
    }
    return answer === null ? response : answer.toResponse();
  }

  /** The document for after_response; of the problem instead when a streamed body cannot be read. */
  async #responseDocument(
    response: PluginResponse,
    request: IncomingRequest,
    document: RequestDocument | null,
  ): Promise<ResponseDocument> {
    const { method, path } = document ?? request;
    const facts = { id: request.id, method, path, route: request.endpoint?.path ?? null };
    const context = document === null ? {} : document.context;
    try {
      return new ResponseDocument(await buffered(response, this.#bodyLimitBytes), facts, context);
    } catch (error) {
      return new ResponseDocument(this.#problem(error, request), facts, context);
    }
  }

  /** The problem document for an error that has a code; others are defects and go on. */
  #problem(error: unknown, request: IncomingRequest): BufferedResponse {
    if (!(error instanceof BackworksError)) throw error;
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
    const failure = asFailure(plugin.name, phase, error);
    const fields = { plugin: plugin.name, hook: phase, code: failure.code, requestId: request.id };
    if (failure.code === 'BW_INTERNAL') this.#log.error({ ...fields, err: failure.cause }, failure.message);
    else if (failure.code === 'BW_PLUGIN_CIRCUIT_OPEN') this.#log.debug(fields, failure.message);
    else this.#log.warn(fields, failure.message);
    return failure;
  }
}

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
