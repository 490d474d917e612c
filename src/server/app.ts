import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { BackworksError } from '../errors.js';
import type { EndpointConfig } from '../config/types.js';
import type { Log } from '../log.js';
import { attempt } from '../pipeline/attempt.js';
import type { PluginOrchestrator } from '../pipeline/orchestrator.js';
import { problem } from '../pipeline/problem.js';
import type { PluginResponse } from '../plugins/plugin.js';
import { ServerRequest, toResponse } from './convert.js';
import { problemResponse } from './problem.js';
import { Routes } from './routes.js';

export interface AppOptions {
  /** Asked at the beginning of each request. */
  readonly routes: () => Routes;
  readonly orchestrator: PluginOrchestrator;
  readonly log: Log;
}

export type App = Hono<{ Bindings: HttpBindings }>;

/**
 * The way to endpoints that are ready to answer.
 * @throws BackworksError BW_CONFIG_INVALID when an endpoint cannot work.
 */
export function prepareRoutes(
  endpoints: readonly EndpointConfig[],
  orchestrator: Pick<PluginOrchestrator, 'prepare'>,
): Routes {
  for (const endpoint of endpoints) orchestrator.prepare(endpoint);
  return new Routes(endpoints);
}

/** The HTTP side of Backworks as a value: serve it with listen(), or ask it with app.request(). */
export function createApp({ routes, orchestrator, log }: AppOptions): App {
  const app: App = new Hono<{ Bindings: HttpBindings }>();
  app.all('*', (context) => {
    // app.request() comes without a socket and leaves the bindings undefined.
    const bindings = context.env as HttpBindings | undefined;
    const plugins = orchestrator.begin();
    const request = new ServerRequest(context.req.raw, plugins, bindings?.incoming);
    const { method, path, id } = request;
    // An answer at hand goes out at once: @hono/node-server then needs no promise and watches no abort.
    return attempt(
      () => {
        const match = routes().match(method, path);
        request.route(match, match.allow === null ? null : refusal(match.allow, request));
        return orchestrator.handle(request, plugins);
      },
      (answer) => {
        request.end();
        return toResponse(answer, request, bindings?.outgoing, log);
      },
      (error) => {
        request.end();
        return problemResponse(error, path, id, log);
      },
    );
  });
  return app;
}

/** The answer for a path whose endpoints do not take the method. */
function refusal(allow: readonly string[], request: ServerRequest): PluginResponse {
  const methods = allow.join(', ');
  if (request.method === 'OPTIONS') return { status: 204, headers: { allow: methods }, body: null };
  const message = `${request.path} takes ${methods}, not ${request.method}`;
  const answer = problem(new BackworksError('BW_ROUTE_METHOD', message), request.path, request.id);
  answer.headers.allow = methods;
  return answer;
}
