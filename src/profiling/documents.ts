import type { EndpointConfig } from '../config/types.js';
import { NO_CONTEXT, ResponseDocument } from '../pipeline/documents/response-document.js';
import { RequestDocument } from '../pipeline/documents/request-document.js';
import type { LoadedPlugin } from '../plugins/loaded-plugin.js';
import type { Awaitable, Caller, PluginResponse } from '../plugins/plugin.js';
import type { PipelineHook } from '../plugins/metadata.js';
import { Routes } from '../http/routes.js';
import type { RecordedRequest } from './recorded-request.js';

/** One call of a hook, with the arguments that the pipeline would pass. */
export type HookCall = (plugin: LoadedPlugin, caller: Caller) => Awaitable<unknown>;

const ANSWER = { status: 200, headers: { 'content-type': 'application/json' }, body: '{"ok":true}' };
const ID = 'local';

/** The caller for consecutive calls. Its `call` holds the plugin's own time of the last call. */
export function createCaller(): Caller {
  return { id: ID, cancelled: false, trace: null, call: null };
}

/**
 * Calls of one hook, one for each request.
 * @throws BackworksError BW_REQUEST_INVALID when a request cannot become a request document
 */
export function hookCalls(
  hook: PipelineHook,
  requests: readonly RecordedRequest[],
  endpoints: readonly EndpointConfig[],
): HookCall[] {
  const routes = new Routes(endpoints);
  return requests.map((request) => {
    const { document, route, method } = hookArguments(hook, request, routes);
    const json = document.toJson();
    if (hook === 'before_request') return (plugin, caller) => plugin.beforeRequest(json, caller);
    if (hook === 'after_response') return (plugin, caller) => plugin.afterResponse(json, caller);
    return (plugin, caller) => plugin.processEndpoint(route, method, json, caller);
  });
}

/** The arguments of one call, as the pipeline would make them. */
export interface HookArguments {
  readonly document: RequestDocument | ResponseDocument;
  /** The path of the endpoint, or of the request when no endpoint matches it. */
  readonly route: string;
  readonly method: string;
}

/**
 * @param answer the response that after_response gets
 * @throws BackworksError BW_REQUEST_INVALID when the request cannot become a request document
 */
export function hookArguments(
  hook: PipelineHook,
  { method, target, headers, body }: RecordedRequest,
  routes: Routes,
  answer: PluginResponse = ANSWER,
): HookArguments {
  const [path = '/', search = ''] = target.split('?', 2);
  const match = routes.match(method, path);
  const route = match.endpoint?.path ?? null;
  if (hook === 'after_response') {
    const facts = { id: ID, method, path, route };
    const response = { ...answer, headers: { ...answer.headers } };
    return { document: new ResponseDocument(response, facts, NO_CONTEXT), route: route ?? path, method };
  }
  const remote = { address: '127.0.0.1', port: 0 };
  const head = { id: ID, match, search, rawHeaders: headers.flat(), remote, tlsJson: null };
  const document = new RequestDocument(head, body === null ? null : Buffer.from(body));
  return { document, route: route ?? path, method };
}
