import { BackworksError, PluginFailure } from '../errors.js';
import type { EndpointConfig } from '../config/types.js';
import type { Awaitable, BackworksPlugin, PluginResponse } from '../plugins/plugin.js';
import { attempt, follow } from './attempt.js';
import { refuseCancelled } from './cancelled.js';
import type { IncomingRequest } from './documents/incoming-request.js';
import type { PluginSet } from './plugin-set.js';
import type { RequestDocument } from './documents/request-document.js';

/** Logs what a plugin threw, and returns it as that plugin's failure. */
export type FailureReport = (plugin: BackworksPlugin, error: unknown) => PluginFailure;

/** Calls process_endpoint of one plugin. */
export type Question = (
  plugin: BackworksPlugin,
  route: string,
  method: string,
) => Awaitable<PluginResponse | null>;

/**
 * The one plugin an endpoint names.
 * @throws PluginFailure when the plugin is not running, critical or not, because nothing else can answer;
 *   BackworksError BW_ROUTE_NOT_FOUND when it answers no endpoints.
 */
export function namedPlugin(name: string, document: RequestDocument, plugins: PluginSet): BackworksPlugin {
  const plugin = plugins.find(name);
  if (plugin === undefined) {
    throw new PluginFailure('BW_PLUGIN_UNAVAILABLE', `plugin ${name} is not running`, {
      plugin: name,
      phase: 'process_endpoint',
    });
  }
  if (!plugin.has('process_endpoint')) throw notMine(name, document);
  return plugin;
}

/** The error for a plugin that an endpoint names and that answers "not mine". */
export function notMine(plugin: string, { method, path }: RequestDocument): BackworksError {
  return new BackworksError('BW_ROUTE_NOT_FOUND', `plugin ${plugin} does not answer ${method} ${path}`);
}

/**
 * The answer of the first plugin that gives one.
 * @throws the failure of a plugin with on_failure: refuse at once. When no plugin answers, throws the first failure (that
 *   plugin might have answered), or BackworksError BW_ROUTE_NOT_FOUND without failures.
 */
export function askAll(
  caller: IncomingRequest,
  document: RequestDocument,
  plugins: readonly BackworksPlugin[],
  ask: Question,
  report: FailureReport,
): Awaitable<PluginResponse> {
  const { endpoint } = caller;
  const route = endpoint === null ? document.path : endpoint.path;
  const method = methodFor(document.method, endpoint);
  let failure: PluginFailure | null = null;
  const askFrom = (index: number): Awaitable<PluginResponse> => {
    const plugin = plugins[index];
    refuseCancelled(caller);
    if (plugin === undefined) throw failure ?? notFound(document.method, document.path);
    const answer = attempt(
      () => ask(plugin, route, method),
      (given) => {
        if (given !== null) caller.answeredBy = plugin.name;
        return given;
      },
      (error) => {
        const reported = report(plugin, error);
        caller.answeredBy ??= plugin.name;
        if (plugin.onFailure === 'refuse') throw reported;
        failure ??= reported;
        return null;
      },
    );
    return follow(answer, (given) => given ?? askFrom(index + 1));
  };
  return askFrom(0);
}

export function notFound(method: string, path: string): BackworksError {
  return new BackworksError('BW_ROUTE_NOT_FOUND', `nothing answers ${method} ${path}`);
}

/** HEAD is answered like GET, without the body, unless the endpoint lists HEAD itself. */
export function methodFor(method: string, endpoint: EndpointConfig | null): string {
  return method === 'HEAD' && !endpoint?.methods.includes('HEAD') ? 'GET' : method;
}
