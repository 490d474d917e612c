import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import { BackworksError } from '../errors.js';
import type { EndpointConfig } from '../config/types.js';
import type { Log } from '../log.js';
import { follow, settle } from '../pipeline/attempt.js';
import type { PluginOrchestrator } from '../pipeline/orchestrator.js';
import type { PluginSet } from '../pipeline/plugin-set.js';
import { problem } from '../pipeline/problem.js';
import type { Awaitable, PluginResponse } from '../plugins/plugin.js';
import { toResponse } from './answer.js';
import { finish } from './finish.js';
import { problemOf } from './problem.js';
import type { OtherMethods } from '../pipeline/documents/route-match.js';
import { ObservedRequest, type RequestObserver } from './observed-request.js';
import { peerOf } from './peer.js';
import { type RequestHead, wantedProtocol } from './request-head.js';
import type { RuleBook } from '../rules/rule-book.js';
import { Routes } from './routes.js';
import { plainTarget, ServerRequest, type Target, targetOf } from './request.js';
import { SocketExchange } from './exchange.js';
import type { TrustedProxies } from './trusted-proxies.js';

export interface AppOptions {
  /** Called at the beginning of each request. */
  readonly routes: () => Routes;
  readonly orchestrator: PluginOrchestrator;
  /** Called at the beginning of each request. Null: no proxy is believed. */
  readonly proxies?: () => TrustedProxies | null;
  readonly log: Log;
  /** Called at the beginning of each request; null while nothing observes requests. */
  readonly observer?: () => RequestObserver | null;
}

/** A Hono app, with a faster path for requests that come over a socket. */
export type App = Hono<{ Bindings: HttpBindings }> & {
  /** Called first for each request. */
  observe(incoming: IncomingMessage, outgoing: ServerResponse): void;
  /** Answers a request. Returns false, without doing anything, when the request must go through fetch(). */
  serve(incoming: IncomingMessage, outgoing: ServerResponse, head: RequestHead): boolean;
  /** Changes the headers of the responses that the server gives without the app; null when nothing is to be changed. */
  changeHeaders(): RuleBook['changeHeaders'];
};

/**
 * Builds the routes, with every endpoint ready to answer.
 * @throws BackworksError BW_CONFIG_INVALID when an endpoint cannot work.
 */
export function prepareRoutes(
  endpoints: readonly EndpointConfig[],
  orchestrator: Pick<PluginOrchestrator, 'prepare'>,
  rules: RuleBook | null = null,
): Routes {
  for (const endpoint of endpoints) orchestrator.prepare(endpoint);
  return new Routes(endpoints, rules);
}

/** The HTTP side of Backworks as a value: serve it with listen(), or call app.request(). */
export function createApp(options: AppOptions): App {
  const { routes, orchestrator, proxies = () => null, log, observer = () => null } = options;
  const answer = (request: ServerRequest, plugins: PluginSet): Awaitable<PluginResponse> =>
    route(request, plugins, routes(), orchestrator);

  const answerSocket = (
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    target: Target,
    head?: RequestHead,
  ): void => {
    const plugins = orchestrator.begin();
    const request = new ServerRequest(incoming, target, plugins, head);
    const believed = proxies();
    if (believed !== null) request.believe(believed);
    if (observer() !== null) request.observed = ObservedRequest.of(outgoing, request);
    settle(() => answer(request, plugins), new SocketExchange(request, incoming, outgoing, log));
  };

  const app = new Hono<{ Bindings: HttpBindings }>();
  app.all('*', (context): Response | Promise<Response> => {
    // app.request() comes without a socket and leaves the bindings undefined.
    const bindings = context.env as HttpBindings | undefined;
    const { raw } = context.req;
    if (bindings?.incoming !== undefined) {
      const { incoming, outgoing } = bindings;
      answerSocket(incoming, outgoing, targetOf(raw.url, peerOf(incoming).scheme));
      return RESPONSE_ALREADY_SENT;
    }
    const plugins = orchestrator.begin();
    const request = new ServerRequest(raw, targetOf(raw.url), plugins);
    return new Promise((resolve) => {
      const respond = (response: PluginResponse): void => {
        request.end();
        resolve(toResponse(response, request));
      };
      settle(() => answer(request, plugins), {
        answered: (given) => finish(request, given, log, respond),
        failed: (error) => finish(request, problemOf(error, request.path, request.id, log), log, respond),
      });
    });
  });

  const observe = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const observing = observer();
    if (observing !== null) ObservedRequest.begin(incoming, outgoing, observing);
  };
  const serve = (incoming: IncomingMessage, outgoing: ServerResponse, head: RequestHead): boolean => {
    const target = plainTarget(incoming.url!, head.host, peerOf(incoming).scheme);
    if (target === null) return false;
    answerSocket(incoming, outgoing, target, head);
    return true;
  };
  const changeHeaders = (): RuleBook['changeHeaders'] => routes().rules?.changeHeaders ?? null;
  return Object.assign(app, { observe, serve, changeHeaders });
}

/** Finds the endpoint of a request and its rules, and answers the request. */
function route(
  request: ServerRequest,
  plugins: PluginSet,
  routes: Routes,
  orchestrator: PluginOrchestrator,
): Awaitable<PluginResponse> {
  const book = routes.rules;
  // A path that cannot be read has no endpoint.
  if (book !== null) request.rules = book.server;
  const match = routes.match(request.method, request.path, request.path.length + request.search.length);
  request.observed?.routed(match.endpoint);
  request.match = match;
  request.refusal = refusalOf(request, plugins);
  if (book === null) return orchestrator.handle(request, plugins);
  const rules = book.of(request);
  request.rules = rules;
  if (rules === null) return orchestrator.handle(request, plugins);
  return follow(rules.admit(request), (early) => early ?? orchestrator.handle(request, plugins));
}

/** The answer of the routing itself, if an endpoint's is not wanted. */
function refusalOf(request: ServerRequest, plugins: PluginSet): PluginResponse | null {
  const { others, endpoint } = request.match;
  if (others !== null) return methodRefusal(others, request);
  return endpoint === null && plugins.unmatched.length === 0 ? null : upgradeRefusal(request);
}

/** The answer for a path whose endpoints do not accept the method. */
function methodRefusal({ configured, allow }: OtherMethods, request: ServerRequest): PluginResponse {
  const methods = allow.join(', ');
  if (request.method === 'OPTIONS') return { status: 204, headers: { allow: methods }, body: null };
  const message = `${request.path} allows ${configured.join(', ')}, not ${request.method}`;
  const answer = problem(new BackworksError('BW_ROUTE_METHOD', message), request.path, request.id);
  answer.headers.allow = methods;
  return answer;
}

/**
 * The answer for a request that needs another protocol on its connection, such as a WebSocket handshake;
 * null for every other request. Otherwise an endpoint would answer the handshake as an ordinary request.
 */
function upgradeRefusal(request: ServerRequest): PluginResponse | null {
  const protocol = wantedProtocol(request.head);
  if (protocol === undefined) return null;
  const message = `protocol upgrades are not supported: the request asks for ${JSON.stringify(protocol)}`;
  return problem(new BackworksError('BW_REQUEST_NOT_IMPLEMENTED', message), request.path, request.id);
}
