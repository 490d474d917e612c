import { type BackworksPlugin, isDenial } from './plugin.js';
import type { PipelineHook } from './metadata.js';

/** Number of calls with each document. Heap damage often shows only in a later call. */
const ROUNDS = 4;

const REQUEST = {
  id: 'validate',
  method: 'GET',
  path: '/validate',
  route: '/validate',
  params: {},
  query: {},
  headers: { host: 'localhost' },
  remote: { address: '127.0.0.1', port: 0 },
  context: {},
};
const RESPONSE = {
  headers: {},
  context: {},
  request: { id: REQUEST.id, method: REQUEST.method, path: REQUEST.path, route: REQUEST.route },
};

const REQUESTS = [
  { ...REQUEST, body: null, body_encoding: 'text' },
  { ...REQUEST, query: { city: 'Zürich', tag: ['a', 'b'] }, body: null, body_encoding: 'text' },
  { ...REQUEST, method: 'POST', body: { items: [1, 2.5, null, true, 'ü'] }, body_encoding: 'json' },
  { ...REQUEST, method: 'PUT', body: 'x'.repeat(4096), body_encoding: 'text' },
  { ...REQUEST, method: 'POST', body: 'AAECAw==', body_encoding: 'base64' },
];
const RESPONSES = [
  { status: 200, ...RESPONSE, body: null, body_encoding: 'text' },
  { status: 200, ...RESPONSE, body: { items: [1, 2.5, null, true, 'ü'] }, body_encoding: 'json' },
  { status: 404, ...RESPONSE, body: 'x'.repeat(4096), body_encoding: 'text' },
  { status: 500, ...RESPONSE, body: 'AAECAw==', body_encoding: 'base64' },
];

/** The result of calling a hook with the sample documents. */
export interface SampleAnswers {
  /** The hook answered at least one of them. */
  readonly answered: boolean;
  /** The status with which before_request denied one of them, 401 or 403; null when it denied none. */
  readonly denied: number | null;
}

/**
 * Calls a hook with every sample document, several times.
 * @throws BackworksError at the first call that fails
 */
export async function callWithSamples(plugin: BackworksPlugin, hook: PipelineHook): Promise<SampleAnswers> {
  let answered = false;
  let denied: number | null = null;
  for (let round = 0; round < ROUNDS; round++) {
    for (const document of hook === 'after_response' ? RESPONSES : REQUESTS) {
      const json = JSON.stringify(document);
      if (hook === 'before_request') {
        const decision = await plugin.beforeRequest(json);
        if (isDenial(decision)) denied ??= decision.response.status;
        answered ||= decision !== null;
      } else {
        const answer = await call(plugin, hook, 'method' in document ? document.method : '', json);
        answered ||= answer !== null;
      }
    }
  }
  return { answered, denied };
}

async function call(
  plugin: BackworksPlugin,
  hook: Exclude<PipelineHook, 'before_request'>,
  method: string,
  json: string,
): Promise<unknown> {
  if (hook === 'after_response') return plugin.afterResponse(json);
  return plugin.processEndpoint(REQUEST.path, method, json);
}
