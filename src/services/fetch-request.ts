import { FetchError } from './fetch-error.js';

/** A request that a plugin wants the server to make. */
export interface FetchRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  /** Null for none. */
  readonly body: Buffer | null;
  /** Null when the plugin does not say. */
  readonly timeoutMs: number | null;
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD']);
/** Headers of the connection, which the server sets itself. */
const OWN_HEADERS =
  /^(connection|content-length|expect|host|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const MEMBERS: ReadonlySet<string> = new Set([
  'method',
  'url',
  'headers',
  'body',
  'body_encoding',
  'timeout_ms',
]);

/** Reads the document of http_fetch(). @throws FetchError that names the wrong member */
export function readFetchRequest(json: string): FetchRequest {
  const document = readDocument(json);
  const unknown = Object.keys(document).find((name) => !MEMBERS.has(name));
  if (unknown !== undefined) throw new FetchError(`unknown member ${JSON.stringify(unknown.slice(0, 64))}`);
  const method = readMethod(document['method'] ?? 'GET');
  const headers = readHeaders(document['headers'] ?? {});
  const body = readBody(document['body'] ?? null, document['body_encoding'] ?? null, headers);
  if (body !== null && BODILESS.has(method)) throw new FetchError(`a ${method} request cannot have a body`);
  return {
    method,
    url: readUrl(document['url']),
    headers,
    body,
    timeoutMs: readTimeout(document['timeout_ms'] ?? null),
  };
}

function readDocument(json: string): Readonly<Record<string, unknown>> {
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch {
    throw new FetchError('the request is not JSON');
  }
  if (!isObject(document)) throw new FetchError('the request is not a JSON object');
  return document;
}

function readMethod(method: unknown): string {
  const upper = typeof method === 'string' ? method.toUpperCase() : '';
  if (!METHODS.has(upper)) throw new FetchError(`method: expected one of ${[...METHODS].join(', ')}`);
  return upper;
}

function readUrl(url: unknown): URL {
  if (typeof url !== 'string' || !URL.canParse(url)) throw new FetchError('url: expected an absolute URL');
  const parsed = new URL(url);
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')
    throw new FetchError('url: expected http or https');
  if (parsed.username !== '' || parsed.password !== '')
    throw new FetchError('url: a user name or password belongs into the header authorization');
  return parsed;
}

function readHeaders(headers: unknown): Headers {
  if (!isObject(headers)) throw new FetchError('headers: expected an object');
  const read = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (OWN_HEADERS.test(name.toLowerCase()))
      throw new FetchError(`headers: the server sets ${name.toLowerCase()} itself`);
    const values: unknown[] = Array.isArray(value) ? value : [value];
    for (const one of values) {
      if (typeof one !== 'string') throw new FetchError('headers: expected strings or lists of strings');
      append(read, name, one);
    }
  }
  return read;
}

function append(headers: Headers, name: string, value: string): void {
  try {
    headers.append(name, value);
  } catch {
    throw new FetchError('headers: a name or value has characters that a header cannot have');
  }
}

/** A text is sent as it is, any other JSON value as JSON. */
function readBody(body: unknown, encoding: unknown, headers: Headers): Buffer | null {
  if (encoding !== null && encoding !== 'text' && encoding !== 'base64' && encoding !== 'json')
    throw new FetchError('body_encoding: expected text, base64 or json');
  if (encoding === 'base64') {
    if (typeof body !== 'string' || !BASE64.test(body)) throw new FetchError('body: expected padded base64');
    return Buffer.from(body, 'base64');
  }
  if (encoding === 'text' && typeof body !== 'string') throw new FetchError('body: expected a string');
  if (typeof body === 'string' && encoding !== 'json') return Buffer.from(body);
  if (body === null && encoding !== 'json') return null;
  if (!headers.has('content-type')) headers.set('content-type', 'application/json');
  return Buffer.from(JSON.stringify(body));
}

function readTimeout(timeout: unknown): number | null {
  if (timeout === null) return null;
  if (typeof timeout !== 'number' || !Number.isInteger(timeout) || timeout < 1)
    throw new FetchError('timeout_ms: expected a whole number from 1');
  return timeout;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
