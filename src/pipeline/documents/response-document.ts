import { Readable } from 'node:stream';
import { BackworksError } from '../../errors.js';
import type { ResponseBodyUse } from '../../config/types.js';
import type { Text } from '../../long-text.js';
import type {
  Awaitable,
  BodyEncoding,
  HeaderMap,
  JsonMembers,
  PluginResponse,
} from '../../plugins/plugin.js';
import { checkStatus } from '../../plugins/response-check.js';
import {
  type DocumentBody,
  EMPTY_BODY,
  type PatchedBody,
  passingBody,
  patchBody,
  refuseBody,
  withBody,
} from './document-body.js';
import { headerText } from './header-map.js';
import { headersJson, quoted } from './json-text.js';
import { encodingOf, isPlainCoding, mediaType } from './media-type.js';
import type { IncomingRequest } from './incoming-request.js';
import type { RequestDocument } from './request-document.js';
import { DocumentPatch, moreMembers } from './document-patch.js';
import { headersAfter } from './patch-rules.js';
import { dropValidators, isRewritten } from './validators.js';

/** A response whose body is in memory. */
export interface BufferedResponse extends PluginResponse {
  body: Buffer | string | null;
}

/** How long after_response hooks wait for a body. */
const HOLD_MAX_MS = 30_000;

/** The request of a response, as after_response sees it. */
export interface RequestFacts {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly route: string | null;
}

/** Where after_response's context begins: the request's document, which may have to compute it. */
export type RequestContext = Pick<RequestDocument, 'context'>;

export const NO_CONTEXT: RequestContext = { context: '{}' };

/** @param document the request's document, if one was built */
export function requestFacts(request: IncomingRequest, document: RequestDocument | null): RequestFacts {
  const { method, path } = document ?? request;
  return { id: request.id, method, path, route: request.endpoint?.path ?? null };
}

/**
 * The document of a 200 with a JSON body, up to that body.
 * @param place members of the request, from placeJson()
 * @param context a JSON object
 */
export function plainResponseHead(id: string, place: string, context: string): string {
  return (
    `{"status":200,"headers":{"content-type":"application/json"},"context":${context},` +
    `"request":{"id":${quoted(id)},${place}},"body_encoding":"json","body":`
  );
}

/** Members that the document defines. A plugin's changes to `request` and `config` are ignored: they are facts. */
const DEFINED: ReadonlySet<string> = new Set([
  'status',
  'headers',
  'context',
  'config',
  'request',
  'body_encoding',
  'body_streamed',
  'body',
]);

/** The response as hooks see it. The bytes to send change only when a patch names the body. */
export class ResponseDocument {
  private status: number;
  private headers: HeaderMap;
  /** A JSON object; null while it is the request's. */
  private ownContext: string | null = null;
  /** Members that the document does not define, as an object. */
  private rest = '{}';
  /** Built lazily, because checking that a body matches its headers is most of the cost. */
  private body: DocumentBody | null = null;
  private given: PluginResponse;
  private bytes: PluginResponse['body'];
  private json: Text | null = null;
  /** False while a plugin that gets no bodies handles the document. */
  mayChangeBody = true;

  constructor(
    response: PluginResponse,
    private readonly request: RequestFacts,
    private readonly requestContext: RequestContext,
  ) {
    this.status = response.status;
    this.headers = response.headers;
    this.bytes = response.body;
    this.given = response;
  }

  toJson(): Text {
    return (this.json ??= withBody(this.membersJson(), this.content));
  }

  /** A JSON object. */
  private get context(): string {
    return this.ownContext ?? this.requestContext.context;
  }

  private get content(): DocumentBody {
    return (this.body ??= documentBody(this.given));
  }

  /**
   * Applies a plugin's RFC 7396 merge patch, completely or not at all.
   * @throws InvalidAnswer when the result is not a valid response.
   */
  merge(members: JsonMembers): void {
    const patch = new DocumentPatch(members);
    const body = this.patchedBody(patch);
    let status = checkedStatus(patch.has('status') ? patch.value('status') : this.status);
    const context = patch.has('context') ? patch.appliedObject('context', this.context) : this.ownContext;
    const rest = patch.appliedRest(DEFINED, this.rest);
    let headers = patch.appliedHeaders(this.headers);
    if (body !== null) {
      headers = headersAfter(headers, body, this.content, patch.change);
      if (this.bytes instanceof Readable || isRewritten(this.bytes, body.bytes))
        status = dropValidators(status, headers, this.headers, patch.change);
      this.discardStream();
      this.body = body;
      this.bytes = body.bytes;
    }
    this.status = status;
    this.headers = headers;
    this.ownContext = context;
    this.rest = rest;
    this.json = null;
  }

  /** Replaces the response; the context stays. */
  replace(response: PluginResponse): void {
    this.discardStream();
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

  private patchedBody(patch: DocumentPatch): PatchedBody | null {
    const { bytes } = this;
    if (!this.mayChangeBody) {
      refuseBody(this.content, bytes instanceof Readable ? null : bytes, patch, 'response');
      return null;
    }
    return this.isStreamed && !patch.has('body') ? null : patchBody(this.content, patch);
  }

  private get isStreamed(): boolean {
    return this.bytes instanceof Readable;
  }

  /** Closes the connection to the target, because nobody will read the stream. */
  private discardStream(): void {
    if (this.bytes instanceof Readable) this.bytes.destroy();
  }

  /** Every member except the body, without the closing brace. */
  private membersJson(): string {
    const { id, method, path, route } = this.request;
    return (
      `{"status":${this.status},"headers":${headersJson(this.headers)},` +
      `"context":${this.context},"request":{"id":${quoted(id)},"method":${quoted(method)},` +
      `"path":${quoted(path)},"route":${route === null ? 'null' : quoted(route)}},` +
      `"body_encoding":"${this.content.encoding}"${this.isStreamed ? ',"body_streamed":true' : ''}` +
      moreMembers(this.rest)
    );
  }
}

function checkedStatus(status: unknown): number {
  checkStatus(status);
  return status;
}

function documentBody({ headers, body, json }: PluginResponse): DocumentBody {
  if (json !== undefined) return { encoding: 'json', json };
  if (body === null || body instanceof Readable) return EMPTY_BODY;
  return passingBody(body, bodyEncoding(headers, body));
}

/** A compressed body is carried as bytes, whatever its content-type. */
function bodyEncoding(headers: HeaderMap, body: Buffer | string): BodyEncoding {
  const plain = isPlainCoding(headerText(headers, 'content-encoding'));
  return plain ? encodingOf(headerText(headers, 'content-type'), body) : 'base64';
}

/**
 * The response as after_response hooks see it: with its body in memory, or with the stream where they do not
 * see the body. Unless they need every body, they see no endless stream, no body longer than the limit, and none
 * that takes too long.
 * @param use what the hooks need of the body
 * @param limitBytes how long a body in memory may be
 * @throws BackworksError BW_PROXY_UPSTREAM when a body breaks off, or is longer than the limit and needed;
 *   BW_PROXY_TIMEOUT when it takes too long and is needed
 */
export function heldResponse(
  response: PluginResponse,
  use: ResponseBodyUse,
  limitBytes: number,
): Awaitable<PluginResponse> {
  const { status, headers, body } = response;
  if (use === 'none' || !(body instanceof Readable)) return response;
  if (use === 'auto' && isStream(headers, limitBytes)) return response;
  return hold(body, limitBytes).then((held) => {
    if (Buffer.isBuffer(held)) return { status, headers, body: held };
    if (use === 'auto') return { status, headers, body };
    body.destroy();
    throw held;
  });
}

/** Types of bodies that may never end, and whose parts are of use at once. */
const ENDLESS =
  /^(?:text\/event-stream|multipart\/x-mixed-replace|application\/(?:x-ndjson|ndjson|jsonl|json-seq|stream\+json|grpc(?:[+-].*)?))$/;

/** Whether the body stays a stream: it may never end, or a longer content-length needs no reading. */
function isStream(headers: HeaderMap, limitBytes: number): boolean {
  const length = Number(headerText(headers, 'content-length') ?? 0);
  return length > limitBytes || ENDLESS.test(mediaType(headerText(headers, 'content-type')) ?? '');
}

/**
 * @returns the whole body; or, with what was read put back into the stream, why the body is not held
 * @throws BackworksError when the body breaks off
 */
function hold(stream: Readable, limitBytes: number): Promise<Buffer | BackworksError> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const late = setTimeout(() => giveUp(tooSlow()), HOLD_MAX_MS);
    const settle = (finish: () => void): void => {
      clearTimeout(late);
      stream.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
      finish();
    };
    const onData = (part: Buffer | string): void => {
      const chunk = typeof part === 'string' ? Buffer.from(part) : part;
      chunks.push(chunk);
      length += chunk.length;
      if (length > limitBytes) giveUp(tooLong(limitBytes));
    };
    const giveUp = (why: BackworksError): void =>
      settle(() => {
        stream.pause();
        if (length > 0) stream.unshift(Buffer.concat(chunks));
        resolve(why);
      });
    const onEnd = (): void => settle(() => resolve(Buffer.concat(chunks)));
    const onError = (cause: Error): void => settle(() => reject(endedEarly(cause)));
    const onClose = (): void => settle(() => reject(endedEarly()));
    stream.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
  });
}

function tooLong(limitBytes: number): BackworksError {
  const message = `the answer of the proxy target is longer than ${limitBytes} bytes, and an after_response hook needs all of it`;
  return new BackworksError('BW_PROXY_UPSTREAM', message);
}

function tooSlow(): BackworksError {
  const message = `the answer of the proxy target took longer than ${HOLD_MAX_MS / 1000} s, and an after_response hook needs all of it`;
  return new BackworksError('BW_PROXY_TIMEOUT', message);
}

function endedEarly(cause?: Error): BackworksError {
  if (cause instanceof BackworksError) return cause;
  return new BackworksError('BW_PROXY_UPSTREAM', 'the answer of the proxy target ended early', { cause });
}
