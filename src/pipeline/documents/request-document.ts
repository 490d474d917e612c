import type { JsonObject } from '../../config/types.js';
import type { Text } from '../../long-text.js';
import type { BodyEncoding, HeaderMap } from '../../plugins/plugin.js';
import { InvalidAnswer, isToken } from '../../plugins/response-check.js';
import { type DocumentBody, EMPTY_BODY, patchBody, withBody, requestBody } from './document-body.js';
import { headerMap, headerText } from './header-map.js';
import type { RemoteAddress, RequestHead } from './incoming-request.js';
import { plainHeadersJson, quoted } from './json-text.js';
import { encodingOf } from './media-type.js';
import { mergePatch } from './merge-patch.js';
import { headersAfter, optionalObject, readPatch } from './patch-rules.js';
import { type Query, parseQuery } from './query.js';
import { dropDigests, isRewritten } from './validators.js';

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
  readonly #head: RequestHead;
  readonly #query: Query;
  /** Null as long as nobody needs more than the JSON. */
  #members: RequestMembers | null = null;
  #body: DocumentBody;
  #bytes: Buffer | null;
  #json: Text | null = null;
  #queryChanged = false;

  /** @throws BackworksError BW_REQUEST_INVALID when query or body cannot be read. */
  constructor(head: RequestHead, bytes: Buffer | null) {
    this.#head = head;
    this.#bytes = bytes;
    this.#query = head.search === '' ? NO_QUERY : parseQuery(head.search);
    this.#body = bytes === null ? EMPTY_BODY : requestBody(bytes, bodyEncoding(head));
  }

  get id(): string {
    return this.#head.id;
  }

  get method(): string {
    return (this.#members ?? this.#head.match).method;
  }

  get path(): string {
    return (this.#members ?? this.#head.match).path;
  }

  get headers(): Readonly<HeaderMap> {
    return this.#all().headers;
  }

  get context(): JsonObject {
    return this.#members === null ? NO_CONTEXT : this.#members.context;
  }

  /** The query when a plugin changed it; null when the request's own still holds. */
  get changedQuery(): Readonly<Query> | null {
    return this.#queryChanged ? this.#all().query : null;
  }

  /** The body's bytes: as received, or as a plugin made them; null when there is none. */
  get bytes(): Buffer | null {
    return this.#bytes;
  }

  toJson(): Text {
    return (this.#json ??= withBody(this.#membersJson(), this.#body));
  }

  /**
   * Applies a plugin's RFC 7396 merge patch, wholly or not at all.
   * @throws InvalidAnswer when the result is not a request.
   */
  merge(patch: JsonObject): void {
    const change = readPatch(patch, FIXED);
    const body = patchBody(this.#body, patch);
    const members = mergePatch(this.#all() as unknown as JsonObject, change) as unknown as RequestMembers;
    checkMembers(members, change);
    if (body !== null) {
      members.headers = headersAfter(members.headers, body, this.#body, change);
      if (isRewritten(this.#bytes, body.bytes)) dropDigests(members.headers, this.#all().headers, change);
      this.#body = body;
      this.#bytes = body.bytes;
    }
    members.body_encoding = this.#body.encoding;
    this.#queryChanged ||= Object.hasOwn(change, 'query');
    this.#members = members;
    this.#json = null;
  }

  #all(): RequestMembers {
    if (this.#members !== null) return this.#members;
    const { id, match, rawHeaders, remote } = this.#head;
    const { method, path, endpoint, params } = match;
    return (this.#members = {
      id,
      method,
      path,
      route: endpoint === null ? null : endpoint.path,
      params,
      query: this.#query,
      headers: headerMap(rawHeaders),
      remote,
      context: {},
      body_encoding: this.#body.encoding,
    });
  }

  /** Every member but the body, without the closing brace; the same as JSON.stringify() gives for them. */
  #membersJson(): string {
    const headers = this.#members === null ? plainHeadersJson(this.#head.rawHeaders) : null;
    if (headers === null) return JSON.stringify(this.#all()).slice(0, -1);
    const { id, match, remote } = this.#head;
    const query = this.#query === NO_QUERY ? '{}' : JSON.stringify(this.#query);
    return (
      `{"id":${quoted(id)},${match.json},"query":${query},"headers":${headers},"remote":${remoteJson(remote)},` +
      `"context":{},"body_encoding":"${this.#body.encoding}"`
    );
  }
}

const NO_QUERY: Query = Object.freeze({});
const NO_CONTEXT: JsonObject = Object.freeze({});

function bodyEncoding({ rawHeaders }: RequestHead): BodyEncoding {
  return encodingOf(headerText(headerMap(rawHeaders), 'content-type'));
}

function remoteJson(remote: RemoteAddress | null): string {
  return remote === null ? 'null' : `{"address":${quoted(remote.address)},"port":${remote.port}}`;
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
