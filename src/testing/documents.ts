import type { EndpointConfig, JsonObject, JsonValue } from '../config/types.js';
import { BackworksError } from '../errors.js';
import { Routes } from '../http/routes.js';
import { RequestDocument } from '../pipeline/documents/request-document.js';
import { ResponseDocument } from '../pipeline/documents/response-document.js';
import { JsonOutline } from '../plugins/json-outline.js';
import type { HeaderMap, PluginResponse } from '../plugins/plugin.js';

/** A JSON value for a JSON body, a string for a text, a Buffer for bytes; null for no body. */
export type TestBody = JsonValue | Buffer;

/** What `requestDocument()` makes a document of. Everything has a default. */
export interface TestRequest {
  /** Default: GET, and POST with a body. */
  readonly method?: string;
  /** Path and query, percent-encoded as a client sends them. Default: `/`. */
  readonly url?: string;
  /** Path of the endpoint, such as `/items/{id}`; null when no endpoint matches. Default: the path of `url`. */
  readonly route?: string | null;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Sets a fitting `content-type` unless `headers` has one. */
  readonly body?: TestBody;
  /** What earlier plugins left. Default: `{}`. */
  readonly context?: JsonObject;
  /** Default: `test`. */
  readonly id?: string;
  /** Default: 127.0.0.1, port 50000. */
  readonly remote?: { readonly address: string; readonly port: number };
}

/** What `responseDocument()` makes a document of. Everything has a default. */
export interface TestResponseWish {
  /** Default: 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: TestBody;
  readonly context?: JsonObject;
  /** The request that is answered. */
  readonly request?: Pick<TestRequest, 'id' | 'method' | 'url' | 'route'>;
}

/** A request document, as before_request and process_endpoint receive it. See docs/plugin-contract.md. */
export interface TestRequestDocument {
  id: string;
  method: string;
  path: string;
  route: string | null;
  params: Record<string, string>;
  query: Record<string, string | string[]>;
  headers: Record<string, string | string[]>;
  remote: { address: string; port: number } | null;
  context: JsonObject;
  body_encoding: 'json' | 'text' | 'base64';
  body: JsonValue;
  /** Members that plugins add. */
  [more: string]: unknown;
}

/** A response document, as after_response receives it. */
export interface TestResponseDocument {
  status: number;
  headers: Record<string, string | string[]>;
  context: JsonObject;
  request: { id: string; method: string; path: string; route: string | null };
  body_encoding: 'json' | 'text' | 'base64';
  body: JsonValue;
  /** Members that plugins add. */
  [more: string]: unknown;
}

const ID = 'test';
const REMOTE = { address: '127.0.0.1', port: 50_000 };

/**
 * Makes a request document with the server's own code.
 * @throws BackworksError BW_REQUEST_INVALID when a server would refuse the request, BW_USAGE when `url` does not match
 *   `route`
 *
 * @example
 * ```ts
 * import { requestDocument } from 'backworks/testing';
 *
 * const document = requestDocument({ url: '/items/7?tag=new', route: '/items/{id}' });
 * console.log(document.params, document.query); // { id: '7' } { tag: 'new' }
 * ```
 */
export function requestDocument(request: TestRequest = {}): TestRequestDocument {
  const { url = '/', body = null, context = {}, id = ID, remote = REMOTE } = request;
  const { method = body === null ? 'GET' : 'POST' } = request;
  const [path = '/', ...search] = url.split('?');
  const { route = path } = request;
  const headers = withContentType(request.headers, body);
  const given = { id, method, path, route, headers, remote, context };
  return valueOf(serverRequest(given, search.join('?'), bytesOf(body))) as TestRequestDocument;
}

/**
 * Makes a response document with the server's own code.
 * @throws BackworksError as requestDocument()
 *
 * @example
 * ```ts
 * import { responseDocument } from 'backworks/testing';
 *
 * const document = responseDocument({ status: 404, body: { error: 'no such item' } });
 * console.log(document.body_encoding, document.request.path); // json /
 * ```
 */
export function responseDocument(wish: TestResponseWish = {}): TestResponseDocument {
  const { status = 200, body = null, context = {} } = wish;
  const { id, method, path, route } = requestDocument(wish.request);
  const headers = withContentType(wish.headers, body);
  const response = { status, headers, body: bytesOf(body) };
  const facts = { id, method, path, route };
  const document = new ResponseDocument(response, facts, { context: JSON.stringify(context) });
  return valueOf(document) as TestResponseDocument;
}

/** The server's object for a document that a test gives. */
export function serverRequestOf(document: TestRequestDocument): RequestDocument {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(document.query))
    for (const each of [value].flat()) search.append(name, each);
  return serverRequest(document, search.toString(), bytesIn(document));
}

/** The same for a response. */
export function serverResponseOf(document: TestResponseDocument): ResponseDocument {
  const { status, headers, context, request } = document;
  const response = { status, headers: { ...headers }, body: bytesIn(document) };
  return new ResponseDocument(response, request, { context: JSON.stringify(context) });
}

/** The document as values. */
export function valueOf(
  document: Pick<RequestDocument, 'toJson'>,
): TestRequestDocument | TestResponseDocument {
  return JSON.parse(document.toJson().toString()) as TestRequestDocument | TestResponseDocument;
}

/** The body of a response as values. */
export function bodyOf({ body, json }: PluginResponse): TestBody {
  if (json !== undefined) return JSON.parse(json.toString()) as JsonValue;
  return typeof body === 'string' || Buffer.isBuffer(body) ? body : null;
}

type Head = Pick<TestRequestDocument, 'id' | 'method' | 'path' | 'route' | 'remote' | 'context'> & {
  headers: HeaderMap;
};

function serverRequest(given: Head, search: string, body: Buffer | null): RequestDocument {
  const { id, method, path, route, headers, remote, context } = given;
  const match = new Routes(route === null ? [] : [endpointAt(route)]).match(method, path);
  if (route !== null && match.endpoint === null)
    throw new BackworksError('BW_USAGE', `the path ${path} does not match the route ${route}`);
  const rawHeaders = Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().flatMap((each) => [name, each]),
  );
  const document = new RequestDocument({ id, match, search, rawHeaders, remote, tlsJson: null }, body);
  if (Object.keys(context).length > 0) document.merge(members({ context }));
  return document;
}

function endpointAt(path: string): EndpointConfig {
  return { name: 'test', path, methods: [], bodyLimitBytes: null, target: { kind: 'any-plugin' }, hooks: [] };
}

function members(value: JsonObject): NonNullable<ReturnType<JsonOutline['object']>> {
  const outline = JsonOutline.of(Buffer.from(JSON.stringify(value)));
  const found = typeof outline === 'number' ? null : outline.object();
  if (found === null) throw new BackworksError('BW_USAGE', 'the context nests too deep');
  return found;
}

function withContentType(headers: TestRequest['headers'] = {}, body: TestBody): HeaderMap {
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  const all = Object.fromEntries(lower) as HeaderMap;
  if (body === null || 'content-type' in all) return all;
  const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
  return { 'content-type': Buffer.isBuffer(body) ? 'application/octet-stream' : type, ...all };
}

function bytesOf(body: TestBody): Buffer | null {
  if (body === null || Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

/** The bytes of a document's body. */
function bytesIn({
  body,
  body_encoding: encoding,
}: TestRequestDocument | TestResponseDocument): Buffer | null {
  if (encoding === 'json') return Buffer.from(JSON.stringify(body));
  if (typeof body !== 'string') return null;
  return Buffer.from(body, encoding === 'text' ? 'utf8' : 'base64');
}
