import { Readable } from 'node:stream';
import { BackworksError } from '../../errors.js';
import type { JsonObject } from '../../config/types.js';
import type { Text } from '../../long-text.js';
import type { Awaitable, BodyEncoding, HeaderMap, PluginResponse } from '../../plugins/plugin.js';
import { checkStatus } from '../../plugins/response-check.js';
import { type DocumentBody, EMPTY_BODY, patchBody, withBody, responseBody } from './document-body.js';
import { headerText } from './header-map.js';
import { headersJson, objectJson, quoted } from './json-text.js';
import { encodingOf, isPlainCoding } from './media-type.js';
import type { IncomingRequest } from './incoming-request.js';
import type { RequestDocument } from './request-document.js';
import { mergePatch } from './merge-patch.js';
import { headersAfter, optionalObject, readPatch } from './patch-rules.js';
import { dropValidators, isRewritten } from './validators.js';

export interface BufferedResponse extends PluginResponse {
  body: Buffer | string | null;
}

/** The request a response belongs to, as after_response sees it. */
export interface RequestFacts {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly route: string | null;
}

/** @param document of the request, when somebody looked at it */
export function requestFacts(request: IncomingRequest, document: RequestDocument | null): RequestFacts {
  const { method, path } = document ?? request;
  return { id: request.id, method, path, route: request.endpoint?.path ?? null };
}

/**
 * The document of a 200 with a JSON body, up to that body.
 * @param place members of the request, as placeJson() gives them
 */
export function plainResponseHead(id: string, place: string, context: JsonObject): string {
  return (
    `{"status":200,"headers":{"content-type":"application/json"},"context":${objectJson(context)},` +
    `"request":{"id":${quoted(id)},${place}},"body_encoding":"json","body":`
  );
}

/** Every member except the body, which is kept as text. */
interface ResponseMembers {
  status: number;
  headers: HeaderMap;
  context: JsonObject;
  request: RequestFacts;
  body_encoding: BodyEncoding;
}

/** What a plugin says about these is ignored: they are facts. */
const FIXED = ['request', 'body'] as const;

/** What the hooks know of a response. The bytes on the wire change only when a patch names the body. */
export class ResponseDocument {
  /** Null as long as nobody needs more than the JSON. */
  #members: ResponseMembers | null = null;
  #status: number;
  #headers: HeaderMap;
  /** Null until somebody looks: most of it is checking that a body is what its headers say. */
  #body: DocumentBody | null = null;
  #given: BufferedResponse;
  #bytes: Buffer | string | null;
  #json: Text | null = null;

  constructor(
    response: BufferedResponse,
    private readonly request: RequestFacts,
    private readonly context: JsonObject,
  ) {
    this.#status = response.status;
    this.#headers = response.headers;
    this.#bytes = response.body;
    this.#given = response;
  }

  toJson(): Text {
    return (this.#json ??= withBody(this.#membersJson(), this.#content));
  }

  get #content(): DocumentBody {
    return (this.#body ??= documentBody(this.#given));
  }

  /**
   * Applies a plugin's RFC 7396 merge patch, wholly or not at all.
   * @throws InvalidAnswer when the result is not a response.
   */
  merge(patch: JsonObject): void {
    const change = readPatch(patch, FIXED);
    const body = patchBody(this.#content, patch);
    const members = mergePatch(this.#all() as unknown as JsonObject, change) as unknown as ResponseMembers;
    checkStatus(members.status);
    members.context = optionalObject(members.context, 'context');
    members.headers ??= {};
    if (body !== null) {
      members.headers = headersAfter(members.headers, body, this.#content, change);
      if (isRewritten(this.#bytes, body.bytes))
        members.status = dropValidators(members.status, members.headers, this.#headers, change);
      this.#body = body;
      this.#bytes = body.bytes;
    }
    members.body_encoding = this.#content.encoding;
    this.#set(members);
  }

  /** Puts another response in the place of this one; the context stays. */
  replace(response: BufferedResponse): void {
    this.#bytes = response.body;
    const members = this.#all();
    this.#given = response;
    this.#body = null;
    const { status, headers } = response;
    this.#set({ ...members, status, headers, body_encoding: this.#content.encoding });
  }

  toResponse(): PluginResponse {
    return { status: this.#status, headers: this.#headers, body: this.#bytes };
  }

  #set(members: ResponseMembers): void {
    this.#members = members;
    this.#status = members.status;
    this.#headers = members.headers;
    this.#json = null;
  }

  #all(): ResponseMembers {
    const { request, context } = this;
    return (this.#members ??= {
      status: this.#status,
      headers: this.#headers,
      context,
      request,
      body_encoding: this.#content.encoding,
    });
  }

  /** Every member but the body, without the closing brace; the same as JSON.stringify() gives for them. */
  #membersJson(): string {
    if (this.#members !== null) return JSON.stringify(this.#members).slice(0, -1);
    const { id, method, path, route } = this.request;
    return (
      `{"status":${this.#status},"headers":${headersJson(this.#headers)},` +
      `"context":${objectJson(this.context)},"request":{"id":${quoted(id)},"method":${quoted(method)},` +
      `"path":${quoted(path)},"route":${route === null ? 'null' : quoted(route)}},` +
      `"body_encoding":"${this.#content.encoding}"`
    );
  }
}

function documentBody({ headers, body, json }: BufferedResponse): DocumentBody {
  if (json !== undefined) return { encoding: 'json', json };
  return body === null ? EMPTY_BODY : responseBody(body, bodyEncoding(headers));
}

/** A compressed body is bytes, whatever its content-type says of the content. */
function bodyEncoding(headers: HeaderMap): BodyEncoding {
  const plain = isPlainCoding(headerText(headers, 'content-encoding'));
  return plain ? encodingOf(headerText(headers, 'content-type')) : 'base64';
}

/**
 * The response with its body in memory.
 * @param limitBytes how long a streamed body may be.
 * @throws BackworksError BW_PROXY_UPSTREAM when a streamed body is longer or breaks off.
 */
export function buffered(response: PluginResponse, limitBytes: number): Awaitable<BufferedResponse> {
  const { status, headers, body } = response;
  if (!(body instanceof Readable)) return response as BufferedResponse;
  return readAll(body, limitBytes).then((whole) => ({ status, headers, body: whole }));
}

async function readAll(stream: Readable, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of stream as AsyncIterable<Buffer | string>) {
      const chunk = typeof part === 'string' ? Buffer.from(part) : part;
      length += chunk.length;
      if (length > limitBytes) break;
      chunks.push(chunk);
    }
  } catch (cause) {
    throw new BackworksError('BW_PROXY_UPSTREAM', 'the answer of the proxy target broke off', { cause });
  }
  if (length <= limitBytes) return Buffer.concat(chunks);
  throw new BackworksError(
    'BW_PROXY_UPSTREAM',
    `the answer of the proxy target is longer than the ${limitBytes} bytes that after_response hooks can see`,
    { hint: 'raise server.body_limit' },
  );
}
