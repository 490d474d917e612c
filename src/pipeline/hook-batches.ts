import type { Deferred } from '../deferred.js';
import {
  type Awaitable,
  type BackworksPlugin,
  type JsonMembers,
  type PluginResponse,
  HookBatch,
} from '../plugins/plugin.js';
import { methodFor } from './plugin-endpoint.js';
import type { Exchange } from './exchange.js';
import { type OrderedPlugin, withConfig } from './hook-list.js';
import { plainResponseHead, type ResponseDocument } from './documents/response-document.js';
import { placeJson } from './documents/route-match.js';

/**
 * Decides which hooks of a plugin follow one another for a request, so that they can be called in one frame.
 * The HookBatch knows which hooks were called ahead.
 */

/** Starts a batch at before_request, when the same plugin answers the endpoint with no other hook in between. */
export function batchFromRequest(
  exchange: Exchange,
  { plugin, config }: OrderedPlugin,
): HookBatch | undefined {
  const { request, hooks, index, document } = exchange;
  // The runner makes the documents of a batch, and knows nothing of the endpoint's configuration.
  if (!plugin.batchesHooks || config !== null) return undefined;
  if (index + 1 !== hooks.beforeRequest.length || request.refusal !== null) return undefined;
  if (request.gate !== null) return undefined;
  if (answering(exchange) !== plugin || !plugin.has('process_endpoint')) return undefined;
  const { endpoint } = request;
  const route = endpoint === null ? document!.path : endpoint.path;
  return new HookBatch(plugin, route, methodFor(document!.method, endpoint), responseHead(exchange, plugin));
}

/** The plugin that the endpoint names, or the first plugin that is offered the request. */
function answering({ request, plugins }: Exchange): BackworksPlugin | undefined {
  const { endpoint } = request;
  if (endpoint === null) return plugins.unmatched[0];
  if (endpoint.target.kind === 'plugin') return plugins.find(endpoint.target.plugin);
  return endpoint.target.kind === 'any-plugin' ? plugins.endpoints[0] : undefined;
}

/** Calls a plugin's process_endpoint, unless the batch has already called it. */
export function askEndpoint(
  exchange: Exchange,
  plugin: BackworksPlugin,
  route: string,
  method: string,
): Awaitable<PluginResponse | null> {
  const { batch } = exchange;
  if (batch?.endpointAnswer !== undefined && batch.plugin === plugin) return batch.endpointAnswer;
  const config = exchange.hooks.configOf(plugin);
  const head = plugin.batchesHooks && config === null ? responseHead(exchange, plugin) : null;
  exchange.batch = head === null ? undefined : new HookBatch(plugin, route, method, head);
  const json = withConfig(exchange.document!.toJson(), config);
  return plugin.processEndpoint(route, method, json, exchange.request, exchange.batch);
}

/** Calls a plugin's after_response, unless the batch has already called it. */
export function askAfterResponse(
  { batch, request }: Exchange,
  { plugin, config }: OrderedPlugin,
  document: ResponseDocument,
): Awaitable<JsonMembers | null> {
  if (batch?.patch === undefined || batch.plugin !== plugin)
    return plugin.afterResponse(withConfig(document.toJson(), config), request, document);
  batch.response = document;
  return batch.patch;
}

/**
 * What the request must wait for when it is unknown whether the hook was called: the end of the process.
 */
export function undecided(
  { batch }: Exchange,
  answer: 'endpointAnswer' | 'patch',
): Deferred<void> | undefined {
  return batch === undefined || batch[answer] !== undefined ? undefined : batch.undecided;
}

/** The response document after_response will see for a plain answer, if this plugin is the first to see it. */
function responseHead({ request, hooks, document }: Exchange, plugin: BackworksPlugin): string | null {
  if (hooks.afterResponse[0]?.plugin !== plugin) return null;
  const { id, match } = request;
  const { method, path, context } = document!;
  const unchanged = method === match.method && path === match.path;
  const place = unchanged ? match.placeJson : placeJson(method, path, match.endpoint);
  return plainResponseHead(id, place, context);
}
