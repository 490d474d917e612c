import { Readable } from 'node:stream';
import type { CompressionConfig, ContentCoding } from '../config/types.js';
import { acceptedCodings } from '../pipeline/content/accept-encoding.js';
import { compress, compressing, hasCoding } from '../pipeline/content/compress.js';
import { listsTag, weak } from '../pipeline/content/entity-tag.js';
import { headerText, joinedRawHeader } from '../pipeline/documents/header-map.js';
import { isPlainCoding, mediaType } from '../pipeline/documents/media-type.js';
import type { Awaitable, HeaderMap, PluginResponse } from '../plugins/plugin.js';
import type { Rule, RuledRequest } from './rule.js';

const NOT_MODIFIED = 304;
/** Answers without a body, and parts of one: a client joins parts of the same bytes. */
const NEVER: ReadonlySet<number> = new Set([204, 205, 206]);
/** A stream that stays open for hours keeps the memory of its compressor, so it has to be named. */
const EVENT_STREAM = 'text/event-stream';
/** Headers about the bytes that were not compressed. */
const ABOUT_BYTES = [
  'content-length',
  'accept-ranges',
  'content-digest',
  'repr-digest',
  'digest',
  'content-md5',
];

/** A body of the configuration, which is the same for every request, and what became of it. */
interface Compressed {
  readonly body: Buffer | string;
  readonly bytes: Buffer;
}

/** Compresses bodies for clients that accept it. */
export class CompressionRule implements Rule {
  private readonly codings: readonly ContentCoding[];
  private readonly isCompressible: (type: string) => boolean;
  /** The last body of each coding; null when bodies change. */
  private readonly kept: Map<ContentCoding, Compressed> | null;

  /** @param isFixed the configuration holds the body */
  constructor(
    private readonly config: CompressionConfig,
    isFixed: boolean,
  ) {
    this.codings = config.encodings.filter(hasCoding);
    this.isCompressible = typeMatcher(config.types);
    this.kept = isFixed ? new Map() : null;
  }

  finish(request: RuledRequest, response: PluginResponse): Awaitable<PluginResponse> {
    const { status, headers } = response;
    if (status !== NOT_MODIFIED && !this.mayCompress(response)) return response;
    addVary(headers);
    if (status === NOT_MODIFIED) {
      if (!hasPlainBody(request, headers)) weaken(headers);
      return response;
    }
    const accepted = joinedRawHeader(request.rawHeaders, 'accept-encoding');
    const coding = acceptedCodings(accepted, this.codings)[0];
    if (coding === undefined) return response;
    if (request.method === 'HEAD') return headOf(response, coding);
    if (response.body instanceof Readable) {
      describe(headers, coding);
      return { status, headers, body: compressing(response.body, coding, this.config.level) };
    }
    return response.body === null ? response : this.whole(response, response.body, coding);
  }

  private mayCompress({ status, headers, body }: PluginResponse): boolean {
    if (NEVER.has(status) || headers['content-range'] !== undefined) return false;
    if (!isPlainCoding(headerText(headers, 'content-encoding'))) return false;
    const type = mediaType(headerText(headers, 'content-type'));
    if (type === undefined || !this.isCompressible(type)) return false;
    // RFC 9111 section 5.2.2.6.
    if (/\bno-transform\b/i.test(headerText(headers, 'cache-control') ?? '')) return false;
    return lengthOf(headers, body) >= this.config.minBytes;
  }

  private async whole(
    response: PluginResponse,
    body: Buffer | string,
    coding: ContentCoding,
  ): Promise<PluginResponse> {
    const kept = this.kept?.get(coding);
    const { status, headers } = response;
    let bytes = kept?.body === body ? kept.bytes : null;
    if (bytes === null) {
      bytes = await compress(typeof body === 'string' ? Buffer.from(body) : body, coding, this.config.level);
      this.kept?.set(coding, { body, bytes });
    }
    if (bytes.length >= Buffer.byteLength(body)) return response;
    describe(headers, coding);
    return { status, headers, body: bytes };
  }
}

/** Whether a client that gets 304 has the body as it was before compression: it knows the strong tag. */
function hasPlainBody({ rawHeaders }: RuledRequest, headers: HeaderMap): boolean {
  const known = joinedRawHeader(rawHeaders, 'if-none-match');
  return known !== undefined && listsTag(known, headerText(headers, 'etag') ?? null, 'strong');
}

/** The length of a body as far as it is known; of a stream without a length, infinity. */
function lengthOf(headers: HeaderMap, body: PluginResponse['body']): number {
  if (body !== null && !(body instanceof Readable)) return Buffer.byteLength(body);
  return Number(headerText(headers, 'content-length') ?? (body === null ? 0 : Infinity));
}

/** What GET would have answered. The length of the compressed body is unknown. */
function headOf({ status, headers, body }: PluginResponse, coding: ContentCoding): PluginResponse {
  describe(headers, coding);
  return { status, headers, body: body instanceof Readable ? body : null };
}

/** Changes headers to those of the compressed body. */
function describe(headers: HeaderMap, coding: ContentCoding): void {
  headers['content-encoding'] = coding;
  for (const name of ABOUT_BYTES) delete headers[name];
  weaken(headers);
}

/** The bytes differ from coding to coding, so a tag cannot promise the same bytes. */
function weaken(headers: HeaderMap): void {
  const etag = headerText(headers, 'etag');
  if (etag !== undefined) headers['etag'] = weak(etag);
}

/** Tells caches that the answer depends on accept-encoding. */
function addVary(headers: HeaderMap): void {
  const vary = headerText(headers, 'vary');
  if (vary === undefined) headers['vary'] = 'accept-encoding';
  else if (!/(?:^|,)[\t ]*(?:\*|accept-encoding)[\t ]*(?:,|$)/i.test(vary))
    headers['vary'] = `${vary}, accept-encoding`;
}

/** @param types `text/html`, `text/*` or `application/*+json` */
function typeMatcher(types: readonly string[]): (type: string) => boolean {
  const exact = new Set(types);
  const ranges = types
    .filter((type) => type.includes('/*'))
    .map((type) => type.split('*') as [string, string]);
  const matches = (type: string): boolean =>
    ranges.some(([start, end]) => type.startsWith(start) && type.endsWith(end));
  return (type) => exact.has(type) || (type !== EVENT_STREAM && matches(type));
}
