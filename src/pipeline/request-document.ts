import type { JsonObject } from '../config/types.js';
import type { BodyEncoding, HeaderMap } from '../plugins/plugin.js';
import { InvalidAnswer, isToken } from '../plugins/response-check.js';
import { type DocumentBody, EMPTY_BODY, patchBody, requestBody } from './document-body.js';
import { headerMap, headerText } from './header-map.js';
import type { RemoteAddress, RequestHead } from './incoming-request.js';
import { encodingOf } from './media-type.js';
import { mergePatch } from './merge-patch.js';
import { headersAfter, optionalObject, readPatch } from './patch-rules.js';
import { type Query, parseQuery } from './query.js';

/** Every member except the body, which is kept as text. */
interface RequestMembers {
  id: string;
  method: string;
  path: string;
  route: string | null;
  params: Readonly<Record<string, string>>;
  query: Query;
  headers: HeaderMap;
  remote: RemoteAddress | null;
  context: JsonObject;
  body_encoding: BodyEncoding;
}

/** What a plugin says about these is ignored: they are facts. */
const FIXED = ['id', 'remote', 'route', 'body'] as const;

/** What the hooks know of a request. Its JSON is built once, and again only after a patch. */
export class RequestDocument {
  #members: RequestMembers;
  #body: DocumentBody;
  #bytes: Buffer | null;
  #json: string | null = null;
  #queryChanged = false;

  /** @throws BackworksError BW_REQUEST_INVALID when query or body cannot be read. */
  constructor(request: RequestHead, bytes: Buffer | null) {
    const headers = headerMap(request.rawHeaders);
    this.#bytes = bytes;
    this.#body =
      bytes === null ? EMPTY_BODY : requestBody(bytes, encodingOf(headerText(headers, 'content-type')));
    this.#members = {
      id: request.id,
      method: request.method,
      path: request.path,
      route: request.endpoint === null ? null : request.endpoint.path,
      params: request.params,
      query: parseQuery(request.search),
      headers,
      remote: request.remote,
      context: {},
      body_encoding: this.#body.encoding,
    };
  }

  get id(): string {
    return this.#members.id;
  }

  get method(): string {
    return this.#members.method;
  }

  get path(): string {
    return this.#members.path;
  }

  get headers(): Readonly<HeaderMap> {
    return this.#members.headers;
  }

  get context(): JsonObject {
    return this.#members.context;
  }

  /** The query when a plugin changed it; null when the request's own still holds. */
  get changedQuery(): Readonly<Query> | null {
    return this.#queryChanged ? this.#members.query : null;
  }

  /** The body's bytes: as received, or as a plugin made them; null when there is none. */
  get bytes(): Buffer | null {
    return this.#bytes;
  }

  toJson(): string {
    return (this.#json ??= `${JSON.stringify(this.#members).slice(0, -1)},"body":${this.#body.json}}`);
  }

  /**
   * Applies a plugin's RFC 7396 merge patch, wholly or not at all.
   * @throws InvalidAnswer when the result is not a request.
   */
  merge(patch: JsonObject): void {
    const change = readPatch(patch, FIXED);
    const body = patchBody(this.#body, patch);
    const members = mergePatch(this.#members as unknown as JsonObject, change) as unknown as RequestMembers;
    checkMembers(members, change);
    if (body !== null) {
      members.headers = headersAfter(members.headers, body, this.#body, change);
      this.#body = body;
      this.#bytes = body.bytes;
    }
    members.body_encoding = this.#body.encoding;
    this.#queryChanged ||= Object.hasOwn(change, 'query');
    this.#members = members;
    this.#json = null;
  }
}

function checkMembers(members: RequestMembers, change: JsonObject): void {
  const { method, path } = members as { method: unknown; path: unknown };
  if (typeof method !== 'string' || !isToken(method)) throw new InvalidAnswer('method is not a token');
  if (typeof path !== 'string' || !/^\/[!"$->@-~]*$/.test(path)) {
    throw new InvalidAnswer('path does not start with "/" or has characters that must be percent-encoded');
  }
  members.context = optionalObject(members.context, 'context');
  members.headers ??= {};
  if (Object.hasOwn(change, 'params'))
    members.params = checkStrings(members.params, 'params', false) as Record<string, string>;
  if (Object.hasOwn(change, 'query')) members.query = checkStrings(members.query, 'query', true);
}

function checkStrings(value: unknown, name: string, lists: boolean): Query {
  const checked = optionalObject(value as JsonObject, name);
  for (const item of Object.values(checked)) {
    const strings = lists && Array.isArray(item) ? item : [item];
    // A lone surrogate has no UTF-8 form and could not be sent on.
    if (!strings.every((text) => typeof text === 'string' && !/\p{Surrogate}/u.test(text))) {
      throw new InvalidAnswer(`${name} has a value that is not a string`);
    }
  }
  return checked as Query;
}
