import type { EndpointConfig } from '../config/types.js';
import { NO_CONTEXT, ResponseDocument } from '../pipeline/documents/response-document.js';
import { RequestDocument } from '../pipeline/documents/request-document.js';
import type { LoadedPlugin } from '../plugins/loaded-plugin.js';
import type { Awaitable, Caller } from '../plugins/plugin.js';
import type { PipelineHook } from '../plugins/metadata.js';
import { Routes } from '../http/routes.js';
import type { RecordedRequest } from './recorded-request.js';

/** One call of a hook, with the arguments that the pipeline would pass. */
export type HookCall = (plugin: LoadedPlugin, caller: Caller) => Awaitable<unknown>;

const ANSWER = { status: 200, headers: { 'content-type': 'application/json' }, body: '{"ok":true}' };
const ID = 'profile';

/** The caller for consecutive calls. Its `call` holds the plugin's own time of the last call. */
export function createCaller(): Caller {
  return { id: ID, cancelled: false, call: null };
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
  return requests.map((request) => callFor(hook, request, routes));
}

function callFor(hook: PipelineHook, request: RecordedRequest, routes: Routes): HookCall {
  const { method, target, headers, body } = request;
  const [path = '/', search = ''] = target.split('?', 2);
  const match = routes.match(method, path);
  const document = new RequestDocument(
    {
      id: ID,
      match,
      search,
      rawHeaders: headers.flat(),
      remote: { address: '127.0.0.1', port: 0 },
    },
    body === null ? null : Buffer.from(body),
  );
  const json = document.toJson();
  const route = match.endpoint?.path ?? path;
  if (hook === 'before_request') return (plugin, caller) => plugin.beforeRequest(json, caller);
  if (hook === 'process_endpoint')
    return (plugin, caller) => plugin.processEndpoint(route, method, json, caller);
  const facts = { id: ID, method, path, route: match.endpoint?.path ?? null };
  const answer = new ResponseDocument(
    { ...ANSWER, headers: { ...ANSWER.headers } },
    facts,
    NO_CONTEXT,
  ).toJson();
  return (plugin, caller) => plugin.afterResponse(answer, caller);
}
