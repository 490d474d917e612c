import { Readable } from 'node:stream';
import { BackworksError } from '../../errors.js';
import type { Text } from '../../long-text.js';
import type {
  Awaitable,
  BodyEncoding,
  HeaderMap,
  JsonMembers,
  PluginResponse,
} from '../../plugins/plugin.js';
import { checkStatus } from '../../plugins/response-check.js';
import { type DocumentBody, EMPTY_BODY, patchBody, withBody, responseBody } from './document-body.js';
import { headerText } from './header-map.js';
import { headersJson, quoted } from './json-text.js';
import { encodingOf, isPlainCoding } from './media-type.js';
import type { IncomingRequest } from './incoming-request.js';
import type { RequestDocument } from './request-document.js';
import { DocumentPatch, moreMembers } from './document-patch.js';
import { headersAfter } from './patch-rules.js';
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
 * @param context a JSON object
 */
export function plainResponseHead(id: string, place: string, context: string): string {
  return (
    `{"status":200,"headers":{"content-type":"application/json"},"context":${context},` +
    `"request":{"id":${quoted(id)},${place}},"body_encoding":"json","body":`
  );
}

/** Members that the document defines. What a plugin says about `request` is ignored: it is a fact. */
const DEFINED: ReadonlySet<string> = new Set([
  'status',
  'headers',
  'context',
  'request',
  'body_encoding',
  'body',
]);

/** What the hooks know of a response. The bytes on the wire change only when a patch names the body. */
export class ResponseDocument {
  private status: number;
  private headers: HeaderMap;
  /** A JSON object. */
  private context: string;
  /** Members that the document does not define, as an object. */
  private rest = '{}';
  /** Null until somebody looks: most of it is checking that a body is what its headers say. */
  private body: DocumentBody | null = null;
  private given: BufferedResponse;
  private bytes: Buffer | string | null;
  private json: Text | null = null;

  /** @param context a JSON object */
  constructor(
    response: BufferedResponse,
    private readonly request: RequestFacts,
    context: string,
  ) {
    this.status = response.status;
    this.headers = response.headers;
    this.context = context;
    this.bytes = response.body;
    this.given = response;
  }

  toJson(): Text {
    return (this.json ??= withBody(this.membersJson(), this.content));
  }

  private get content(): DocumentBody {
    return (this.body ??= documentBody(this.given));
  }

  /**
   * Applies a plugin's RFC 7396 merge patch, wholly or not at all.
   * @throws InvalidAnswer when the result is not a response.
   */
  merge(members: JsonMembers): void {
    const patch = new DocumentPatch(members);
    const body = patchBody(this.content, patch);
    let status = checkedStatus(patch.has('status') ? patch.value('status') : this.status);
    const context = patch.appliedObject('context', this.context);
    const rest = patch.appliedRest(DEFINED, this.rest);
    let headers = patch.appliedHeaders(this.headers);
    if (body !== null) {
      headers = headersAfter(headers, body, this.content, patch.change);
      if (isRewritten(this.bytes, body.bytes))
        status = dropValidators(status, headers, this.headers, patch.change);
      this.body = body;
      this.bytes = body.bytes;
    }
    this.status = status;
    this.headers = headers;
    this.context = context;
    this.rest = rest;
    this.json = null;
  }

  /** Puts another response in the place of this one; the context stays. */
  replace(response: BufferedResponse): void {
    this.bytes = response.body;
    this.given = response;
    this.body = null;
    this.status = response.status;
    this.headers = response.headers;
    this.json = null;
  }

  toResponse(): PluginResponse {
    return { status: this.status, headers: this.headers, body: this.bytes };
  }

  /** Every member but the body, without the closing brace. */
  private membersJson(): string {
    const { id, method, path, route } = this.request;
    return (
      `{"status":${this.status},"headers":${headersJson(this.headers)},` +
      `"context":${this.context},"request":{"id":${quoted(id)},"method":${quoted(method)},` +
      `"path":${quoted(path)},"route":${route === null ? 'null' : quoted(route)}},` +
      `"body_encoding":"${this.content.encoding}"${moreMembers(this.rest)}`
    );
  }
}

function checkedStatus(status: unknown): number {
  checkStatus(status);
  return status;
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
