import type { JsonObject } from '../../config/types.js';
import type { Text } from '../../long-text.js';
import type { BodyEncoding, HeaderMap, JsonMembers } from '../../plugins/plugin.js';
import { InvalidAnswer, isToken } from '../../plugins/response-check.js';
import {
  type DocumentBody,
  EMPTY_BODY,
  type PatchedBody,
  checkedBody,
  passingBody,
  patchBody,
  refuseBody,
  withBody,
} from './document-body.js';
import { headerMap, headerText } from './header-map.js';
import type { RemoteAddress, RequestHead } from './incoming-request.js';
import { headersJson, objectJson, plainHeadersJson, quoted } from './json-text.js';
import { encodingOf, isPlainCoding } from './media-type.js';
import { DocumentPatch, moreMembers } from './document-patch.js';
import { headersAfter } from './patch-rules.js';
import { type Query, parseQuery } from './query.js';
import { placeJson } from './route-match.js';
import { dropDigests, isRewritten } from './validators.js';

/** A request after a patch, apart from the body; JSON text where the values may contain numbers. */
interface Changed {
  readonly method: string;
  readonly path: string;
  readonly params: string;
  readonly query: Query;
  readonly headers: HeaderMap;
  /** An object. */
  readonly context: string;
  /** Members that the document does not define, as an object. */
  readonly rest: string;
}

/** Members the document defines. A plugin's changes to id, remote, tls, route and config are ignored: they are facts. */
const DEFINED: ReadonlySet<string> = new Set([
  'id',
  'method',
  'path',
  'route',
  'params',
  'query',
  'headers',
  'remote',
  'tls',
  'context',
  'config',
  'body_encoding',
  'body_streamed',
  'body',
]);

/** The request as hooks see it. Its JSON is built once, and again only after a patch. */
export class RequestDocument {
  private readonly head: RequestHead;
  private readonly query: Query;
  /** Null until a plugin changes something. */
  private changed: Changed | null = null;
  /** Patches that were checked and wait until somebody reads what they change. */
  private readonly waiting: DocumentPatch[] = [];
  /** Parsed lazily; null until a field is read. */
  private parsedHeaders: HeaderMap | null = null;
  private body: DocumentBody;
  private currentBytes: Buffer | null;
  private json: Text | null = null;
  private queryChanged = false;
  /** False while a plugin that gets no bodies handles the document. */
  mayChangeBody = true;

  /**
   * @param isStreamed the body is streamed, so that no plugin sees it
   * @param isAnswered a plugin answers the request, so its body has to match its content-type
   * @throws BackworksError BW_REQUEST_INVALID when such a body does not match
   */
  constructor(
    head: RequestHead,
    bytes: Buffer | null,
    readonly isStreamed = false,
    isAnswered = true,
  ) {
    this.head = head;
    this.currentBytes = bytes;
    this.query = head.search === '' ? NO_QUERY : parseQuery(head.search);
    const read = isAnswered ? checkedBody : passingBody;
    this.body = bytes === null ? EMPTY_BODY : read(bytes, bodyEncoding(head, bytes));
  }

  get id(): string {
    return this.head.id;
  }

  get method(): string {
    return (this.changed ?? this.head.match).method;
  }

  get path(): string {
    return (this.changed ?? this.head.match).path;
  }

  get headers(): Readonly<HeaderMap> {
    this.applyWaiting();
    return this.currentHeaders;
  }

  private get currentHeaders(): Readonly<HeaderMap> {
    return (this.parsedHeaders ??= headerMap(this.head.rawHeaders));
  }

  /** A JSON object. */
  get context(): string {
    this.applyWaiting();
    return this.currentContext;
  }

  private get currentContext(): string {
    return this.changed === null ? '{}' : this.changed.context;
  }

  /** The query, if a plugin changed it; null when the request's own query is unchanged. */
  get changedQuery(): Readonly<Query> | null {
    return this.queryChanged ? this.changed!.query : null;
  }

  /** The body's bytes: as received, or as a plugin changed them; null when there is none. */
  get bytes(): Buffer | null {
    return this.currentBytes;
  }

  toJson(): Text {
    this.applyWaiting();
    return (this.json ??= withBody(this.membersJson(), this.body));
  }

  /**
   * Applies a plugin's RFC 7396 merge patch, completely or not at all.
   * @throws InvalidAnswer when the result is not a valid request.
   */
  merge(members: JsonMembers): void {
    const patch = new DocumentPatch(members);
    if (patch.cannotFail) {
      // Often nobody asks any more: the runner has applied the patch for the plugin's own next hooks.
      this.waiting.push(patch);
      return;
    }
    this.applyWaiting();
    this.mergeNow(patch);
  }

  private applyWaiting(): void {
    if (this.waiting.length === 0) return;
    for (const patch of this.waiting.splice(0)) this.mergeNow(patch);
  }

  private mergeNow(patch: DocumentPatch): void {
    const body = this.patchedBody(patch);
    const changed = this.apply(patch);
    const headers =
      body === null ? changed.headers : headersAfter(changed.headers, body, this.body, patch.change);
    if (body !== null) {
      if (isRewritten(this.currentBytes, body.bytes)) {
        dropDigests(headers, this.currentHeaders, patch.change);
        // The coding applied to the old body. A plugin that encodes its body sets the header itself.
        if (!patch.setsHeader('content-encoding')) delete headers['content-encoding'];
      }
      this.body = body;
      this.currentBytes = body.bytes;
    }
    this.queryChanged ||= patch.has('query');
    this.parsedHeaders = headers;
    this.changed = { ...changed, headers };
    this.json = null;
  }

  private patchedBody(patch: DocumentPatch): PatchedBody | null {
    if (this.mayChangeBody && !this.isStreamed) return patchBody(this.body, patch);
    refuseBody(this.body, this.currentBytes, patch, 'request');
    return null;
  }

  private apply(patch: DocumentPatch): Changed {
    const { match } = this.head;
    const before = this.changed;
    const query = before?.query ?? this.query;
    const params = before?.params ?? match.paramsJson;
    return {
      method: patch.has('method') ? checkMethod(patch.value('method')) : this.method,
      path: patch.has('path') ? checkPath(patch.value('path')) : this.path,
      params: patch.has('params') ? checkedStrings(patch, 'params', params, false) : params,
      query: patch.has('query')
        ? (JSON.parse(checkedStrings(patch, 'query', JSON.stringify(query), true)) as Query)
        : query,
      headers: patch.appliedHeaders(this.currentHeaders),
      context: patch.appliedObject('context', this.currentContext),
      rest: patch.appliedRest(DEFINED, before?.rest ?? '{}'),
    };
  }

  /** Every member except the body, without the closing brace. */
  private membersJson(): string {
    const { id, match, remote, tlsJson } = this.head;
    const tls = tlsJson === null ? '' : `,"tls":${tlsJson}`;
    const changed = this.changed;
    if (changed === null) {
      const headers = plainHeadersJson(this.head.rawHeaders) ?? headersJson(this.currentHeaders);
      return (
        `{"id":${quoted(id)},${match.json},"query":${objectJson(this.query)},"headers":${headers},` +
        `"remote":${remoteJson(remote)}${tls},"context":{},"body_encoding":"${this.body.encoding}"${this.streamedJson}`
      );
    }
    const { method, path, params, query, headers, context, rest } = changed;
    const unchanged = method === match.method && path === match.path;
    const place = unchanged ? match.placeJson : placeJson(method, path, match.endpoint);
    return (
      `{"id":${quoted(id)},${place},"params":${params},"query":${objectJson(query)},` +
      `"headers":${headersJson(headers)},"remote":${remoteJson(remote)}${tls},"context":${context},` +
      `"body_encoding":"${this.body.encoding}"${this.streamedJson}${moreMembers(rest)}`
    );
  }

  private get streamedJson(): string {
    return this.isStreamed ? ',"body_streamed":true' : '';
  }
}

const NO_QUERY: Query = Object.freeze({});

/** A body with a content coding is bytes: the server does not inflate what a client sends. */
function bodyEncoding({ rawHeaders }: RequestHead, body: Buffer): BodyEncoding {
  const headers = headerMap(rawHeaders);
  const plain = isPlainCoding(headerText(headers, 'content-encoding'));
  return plain ? encodingOf(headerText(headers, 'content-type'), body) : 'base64';
}

function remoteJson(remote: RemoteAddress | null): string {
  return remote === null ? 'null' : `{"address":${quoted(remote.address)},"port":${remote.port}}`;
}

function checkMethod(method: unknown): string {
  if (typeof method !== 'string' || !isToken(method)) throw new InvalidAnswer('method is not a token');
  return method;
}

function checkPath(path: unknown): string {
  if (typeof path !== 'string' || !/^\/[!"$->@-~]*$/.test(path)) {
    throw new InvalidAnswer('path does not start with "/" or has characters that must be percent-encoded');
  }
  return path;
}

/** An object of strings, or of strings and lists of strings, after a patch. */
function checkedStrings(patch: DocumentPatch, name: string, target: string, lists: boolean): string {
  const json = patch.appliedObject(name, target);
  for (const item of Object.values(JSON.parse(json) as JsonObject)) {
    const strings = lists && Array.isArray(item) ? item : [item];
    // A lone surrogate has no UTF-8 form, so it could not be sent.
    if (!strings.every((text) => typeof text === 'string' && !/\p{Surrogate}/u.test(text))) {
      throw new InvalidAnswer(`${name} has a value that is not a string`);
    }
  }
  return json;
}
