import type { EndpointConfig } from '../config/types.js';
import type { Log } from '../log.js';
import type {
  Awaitable,
  BackworksPlugin,
  CanaryPlugin,
  JsonMembers,
  PluginResponse,
  RequestDecision,
} from '../plugins/plugin.js';
import { Exchange, type Stage } from './exchange.js';
import {
  type FailureReport,
  type Question,
  askAll,
  methodFor,
  namedPlugin,
  notFound,
  notMine,
} from './plugin-endpoint.js';
import type { PreparedEndpoint } from './prepared-endpoint.js';
import { PreparedEndpoints } from './prepared-endpoints.js';
import { Upstreams } from '../proxy/upstreams.js';
import { Failures } from './failures.js';
import { withConfig } from './hook-list.js';
import type { Gate, IncomingRequest } from './documents/incoming-request.js';
import { bodyLimits } from './documents/body-limits.js';
import { refuseCancelled } from './cancelled.js';
import type { PluginSet, RequestSettings } from './plugin-set.js';
import { problem } from './problem.js';
import { checkCharset } from './documents/media-type.js';
import { RequestDocument } from './documents/request-document.js';
import { NO_CONTEXT, ResponseDocument, heldResponse, requestFacts } from './documents/response-document.js';
import { TrafficSplit } from './traffic-split.js';
import { askEndpoint, askAfterResponse, undecided, batchFromRequest } from './hook-batches.js';

export interface OrchestratorOptions extends RequestSettings {
  readonly log: Log;
  /** The targets of proxy endpoints. */
  readonly upstreams?: Upstreams;
}

/** An endpoint that answers without a plugin. */
/**
 * Takes a request through its stages, in this order: `handle()` begins; `read` has the body; `ask` and `before`
 * run the before_request hooks; `gate` lets the request pass; `answer` and `endpoint` produce the response; `afterResponse`, `held`, `askAfter`
 * and `after` run the after_response hooks. Each stage starts the next.
 */
export class PluginOrchestrator {
  private settings: RequestSettings;
  private readonly failures: Failures;
  private readonly prepared: PreparedEndpoints;
  private plugins: TrafficSplit;
  /**
   * Resolves when every request that began before the last change of plugins has ended, whichever earlier set
   * it began with: a plugin may be in several sets. This is not a lock: changes do not wait for each other.
   */
  private formerEnded: Promise<void> = Promise.resolve();

  constructor({ log, upstreams = new Upstreams(log), ...settings }: OrchestratorOptions) {
    this.prepared = new PreparedEndpoints(upstreams);
    this.settings = settings;
    this.failures = new Failures(log);
    this.plugins = new TrafficSplit([], [], settings);
  }

  /**
   * Replaces the plugins and settings for requests that begin from now on. When it throws, nothing changes.
   * @param canaries canary versions: each replaces the plugin of the same name for a share of the requests
   * @param settings settings to change; the others stay
   * @returns resolves when every request that began before has ended
   */
  setPlugins(
    plugins: readonly BackworksPlugin[],
    {
      canaries = [],
      ...settings
    }: { readonly canaries?: readonly CanaryPlugin[] } & Partial<RequestSettings> = {},
  ): Promise<void> {
    const nextSettings = { ...this.settings, ...settings };
    const next = new TrafficSplit(plugins, canaries, nextSettings);
    // Nothing can fail from here on.
    const former = this.plugins;
    this.settings = nextSettings;
    this.plugins = next;
    this.formerEnded = Promise.all([this.formerEnded, former.idle()]).then(() => undefined);
    return this.formerEnded;
  }

  /** Returns the plugins for a request that begins now. Call end() on them when the request has its answer. */
  begin(): PluginSet {
    return this.plugins.next().begin();
  }

  /**
   * Prepares an endpoint to answer. Without this call, its first request does so.
   * @throws BackworksError BW_CONFIG_INVALID when the endpoint cannot work.
   */
  prepare(endpoint: EndpointConfig): PreparedEndpoint | null {
    return this.prepared.of(endpoint);
  }

  /** Puts prepared endpoints into service: the targets of their proxies are checked from now on, and no others. */
  serve(endpoints: readonly EndpointConfig[]): void {
    this.prepared.serve(endpoints);
  }

  /**
   * Answers a request, at once when no plugin makes it wait. Fails only when the client has disconnected, and on a
   * defect of the server itself.
   * @param plugins the result of begin()
   */
  handle(request: IncomingRequest, plugins = this.plugins.next()): Awaitable<PluginResponse> {
    const exchange = new Exchange(request, plugins);
    try {
      if (!needsDocument(exchange)) this.answer(exchange);
      else if (request.hasBody) this.receive(exchange);
      else this.read.take(exchange, null);
    } catch (error) {
      exchange.reject(error);
    }
    return exchange.atHand;
  }

  /** Reads the body when a plugin needs it. A body that is announced as too long is refused before any hook runs. */
  private receive(exchange: Exchange): void {
    const { request, plugins } = exchange;
    let body: Awaitable<Buffer | null>;
    try {
      const limits = bodyLimits(request, plugins);
      if (asksPlugin(request, plugins)) checkCharset(request.rawHeaders);
      body = needsBody(exchange) ? request.readBody(limits) : null;
    } catch (error) {
      this.read.fail(exchange, error);
      return;
    }
    exchange.expect(body, this.read);
  }

  /** The body has been read, or is left to be streamed. */
  private readonly read: Stage<Buffer | null> = {
    take: (exchange, bytes) => {
      try {
        const { request, plugins } = exchange;
        const isStreamed = bytes === null && request.hasBody;
        exchange.document = new RequestDocument(request, bytes, isStreamed, asksPlugin(request, plugins));
      } catch (error) {
        this.read.fail(exchange, error);
        return;
      }
      this.ask(exchange);
    },
    fail: (exchange, error) => exchange.resolve(this.failures.problem(error, exchange.request)),
  };

  /** Calls before_request of the plugin at `exchange.index`. After the last plugin comes the endpoint. */
  private ask(exchange: Exchange): void {
    const { request, hooks, document, index } = exchange;
    refuseCancelled(request);
    const ordered = hooks.beforeRequest[index];
    if (ordered === undefined) {
      this.answer(exchange);
      return;
    }
    let decision: Awaitable<RequestDecision | null>;
    document!.mayChangeBody = ordered.plugin.body.request !== 'none';
    try {
      exchange.batch = batchFromRequest(exchange, ordered);
      const json = withConfig(document!.toJson(), ordered.config);
      decision = ordered.plugin.beforeRequest(json, request, document!, exchange.batch);
    } catch (error) {
      this.before.fail(exchange, error);
      return;
    }
    exchange.expect(decision, this.before);
  }

  private readonly before: Stage<RequestDecision | null> = {
    take: (exchange, decision) =>
      this.decided(exchange, decision?.kind === 'respond' ? decision.response : null),
    fail: (exchange, error) => {
      const { request, hooks, index } = exchange;
      const { plugin } = hooks.beforeRequest[index]!;
      const failure = this.failures.failure(plugin, 'before_request', error, request);
      this.decided(
        exchange,
        plugin.onFailure === 'refuse' ? problem(failure, request.path, request.id) : null,
      );
    },
  };

  /** @param response ends the request here; null to continue */
  private decided(exchange: Exchange, response: PluginResponse | null): void {
    const { plugin, position } = exchange.hooks.beforeRequest[exchange.index]!;
    exchange.index += 1;
    if (response === null) this.ask(exchange);
    else {
      exchange.request.answeredBy = plugin.name;
      this.afterResponse(exchange, response, position);
    }
  }

  private answer(exchange: Exchange): void {
    const { request } = exchange;
    refuseCancelled(request);
    const unknown = undecided(exchange, 'endpointAnswer');
    if (unknown !== undefined) {
      exchange.expect(unknown, this.endpointDecided);
      return;
    }
    if (request.refusal !== null) {
      this.afterResponse(exchange, request.refusal, Infinity);
      return;
    }
    if (request.gate === null) this.askTheEndpoint(exchange);
    else this.askGate(exchange, request.gate);
  }

  private askGate(exchange: Exchange, gate: Gate): void {
    let answer: Awaitable<PluginResponse | null>;
    try {
      answer = gate.pass(exchange.request, exchange.document);
    } catch (error) {
      this.gate.fail(exchange, error);
      return;
    }
    exchange.expect(answer, this.gate);
  }

  private readonly gate: Stage<PluginResponse | null> = {
    take: (exchange, response) => {
      if (response === null) this.askTheEndpoint(exchange);
      else this.afterResponse(exchange, response, Infinity);
    },
    fail: (exchange, error) =>
      this.afterResponse(exchange, this.failures.problem(error, exchange.request), Infinity),
  };

  private askTheEndpoint(exchange: Exchange): void {
    let answer: Awaitable<PluginResponse | null>;
    try {
      answer = this.endpointAnswer(exchange);
    } catch (error) {
      this.endpoint.fail(exchange, error);
      return;
    }
    exchange.expect(answer, this.endpoint);
  }

  private endpointAnswer(exchange: Exchange): Awaitable<PluginResponse | null> {
    const { request, document, plugins } = exchange;
    const { endpoint } = request;
    const prepared = endpoint === null ? null : this.prepare(endpoint);
    if (prepared !== null) return prepared.respond(request, document, plugins);
    if (document === null) throw notFound(request.method, request.path);
    if (endpoint?.target.kind === 'plugin') {
      exchange.asked = namedPlugin(endpoint.target.plugin, document, plugins);
      const method = methodFor(document.method, endpoint);
      return askEndpoint(exchange, exchange.asked, endpoint.path, method);
    }
    const report: FailureReport = (plugin, error) =>
      this.failures.failure(plugin, 'process_endpoint', error, request);
    const ask: Question = (plugin, route, method) => askEndpoint(exchange, plugin, route, method);
    const asked = endpoint === null ? plugins.unmatched : plugins.endpoints;
    return askAll(request, document, asked, ask, report);
  }

  private readonly endpointDecided = continueWith((exchange) => this.answer(exchange));

  private readonly endpoint: Stage<PluginResponse | null> = {
    take: (exchange, response) => {
      const { asked, document, request } = exchange;
      if (asked !== null) request.answeredBy = asked.name;
      const given = response ?? this.failures.problem(notMine(asked!.name, document!), request);
      this.afterResponse(exchange, given, Infinity);
    },
    fail: (exchange, error) => {
      const { asked, request } = exchange;
      if (asked !== null) request.answeredBy = asked.name;
      const failure =
        asked === null ? error : this.failures.failure(asked, 'process_endpoint', error, request);
      this.afterResponse(exchange, this.failures.problem(failure, request), Infinity);
    },
  };

  /** Runs the after_response hooks of the plugins that precede `position` on the way in, last plugin first. */
  private afterResponse(exchange: Exchange, response: PluginResponse, position: number): void {
    const { afterResponse, responseBodies } = exchange.hooks;
    let first = 0;
    while (first < afterResponse.length && afterResponse[first]!.position >= position) first += 1;
    if (first === afterResponse.length) {
      exchange.resolve(response);
      return;
    }
    exchange.index = first;
    exchange.expect(
      heldResponse(response, responseBodies[first]!, exchange.plugins.bodyLimitBytes),
      this.held,
    );
  }

  /** The response is ready for hooks; or a problem document, when its body could not be read. */
  private readonly held: Stage<PluginResponse> = {
    take: (exchange, response) => {
      const { request, document } = exchange;
      const facts = requestFacts(request, document);
      exchange.response = new ResponseDocument(response, facts, document ?? NO_CONTEXT);
      this.askAfter(exchange);
    },
    fail: (exchange, error) => this.held.take(exchange, this.failures.problem(error, exchange.request)),
  };

  /** Calls after_response of the plugin at `exchange.index`. */
  private askAfter(exchange: Exchange): void {
    const { request, hooks, index } = exchange;
    const document = exchange.response!;
    const ordered = hooks.afterResponse[index];
    if (ordered === undefined) {
      exchange.resolve(document.toResponse());
      return;
    }
    refuseCancelled(request);
    document.mayChangeBody = ordered.plugin.body.response !== 'none';
    const unknown = undecided(exchange, 'patch');
    if (unknown !== undefined) {
      exchange.expect(unknown, this.responseDecided);
      return;
    }
    let patch: Awaitable<JsonMembers | null>;
    try {
      patch = askAfterResponse(exchange, ordered, document);
    } catch (error) {
      this.after.fail(exchange, error);
      return;
    }
    exchange.expect(patch, this.after);
  }

  private readonly responseDecided = continueWith((exchange) => this.askAfter(exchange));

  private readonly after: Stage<JsonMembers | null> = {
    take: (exchange) => {
      exchange.index += 1;
      this.askAfter(exchange);
    },
    fail: (exchange, error) => {
      const { request, hooks, index, response } = exchange;
      const { plugin } = hooks.afterResponse[index]!;
      const failure = this.failures.failure(plugin, 'after_response', error, request);
      if (plugin.onFailure === 'refuse') {
        request.answeredBy = plugin.name;
        response!.replace(problem(failure, request.path, request.id));
      }
      exchange.index += 1;
      this.askAfter(exchange);
    },
  };
}

function continueWith(take: (exchange: Exchange) => void): Stage<void> {
  return { take, fail: (exchange, error) => exchange.reject(error) };
}

/** Whether a hook or plugin will see the request. If not, no document is built. */
function needsDocument({ request, plugins, hooks }: Exchange): boolean {
  return hooks.beforeRequest.length > 0 || asksPlugin(request, plugins);
}

/** Whether a plugin needs the body; if not, it is not held. */
function needsBody({ request, plugins, hooks }: Exchange): boolean {
  return hooks.readsRequests || asksPlugin(request, plugins);
}

/** Whether a plugin is asked for the answer. */
function asksPlugin(request: IncomingRequest, plugins: PluginSet): boolean {
  if (request.refusal !== null) return false;
  if (request.endpoint === null) return plugins.unmatched.length > 0;
  const { kind } = request.endpoint.target;
  return kind === 'plugin' || (kind === 'any-plugin' && plugins.endpoints.length > 0);
}
