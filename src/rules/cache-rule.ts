import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { CacheConfig } from '../config/types.js';
import { BackworksError } from '../errors.js';
import { evaluateConditions } from '../pipeline/content/conditions.js';
import { parseHttpDate } from '../pipeline/content/http-date.js';
import { headerText, joinedRawHeader } from '../pipeline/documents/header-map.js';
import type { HeaderMap, PluginResponse } from '../plugins/plugin.js';
import type { Rule, RuledRequest } from './rule.js';

const OK = 200;
const NOT_MODIFIED = 304;
const ERRORS_MIN = 400;
/** Headers of a body that is not sent (RFC 9110 section 15.4.5). */
const OF_THE_BODY = [
  'content-length',
  'content-type',
  'content-encoding',
  'content-language',
  'accept-ranges',
];

/** A body of the configuration, which is the same for every request, and its tag. */
interface Tagged {
  readonly body: Buffer | string;
  readonly etag: string;
}

/** Sets cache headers, and answers 304 to clients that have the answer already. */
export class CacheRule implements Rule {
  private kept: Tagged | null = null;

  constructor(private readonly config: CacheConfig) {}

  /** @throws BackworksError BW_REQUEST_PRECONDITION when the client wants another version */
  finish(request: RuledRequest, response: PluginResponse): PluginResponse {
    const { status, headers, body } = response;
    const { control, etag } = this.config;
    if (control !== null && status < ERRORS_MIN) headers['cache-control'] ??= control;
    const { method, rawHeaders } = request;
    if (!etag || status !== OK || (method !== 'GET' && method !== 'HEAD')) return response;
    // The length of a stream is unknown, and nobody waits for its end: it has a tag only if its source sends one.
    if (body !== null && !(body instanceof Readable)) headers['etag'] ??= this.tagOf(body);
    const validators = { etag: headerText(headers, 'etag') ?? null, lastModifiedMs: lastModified(headers) };
    if (validators.etag === null && validators.lastModifiedMs === null) return response;
    const result = evaluateConditions(method, (name) => joinedRawHeader(rawHeaders, name), validators);
    if (result === 'send') return response;
    if (body instanceof Readable) body.on('error', () => undefined).destroy();
    if (result === 'failed')
      throw new BackworksError('BW_REQUEST_PRECONDITION', 'the answer is another version');
    for (const name of OF_THE_BODY) delete headers[name];
    return { status: NOT_MODIFIED, headers, body: null };
  }

  private tagOf(body: Buffer | string): string {
    // Comparing with the body before costs little: two bodies of different lengths differ at once.
    if (this.kept?.body === body) return this.kept.etag;
    const etag = `"${createHash('sha1').update(body).digest('base64url')}"`;
    if (typeof body === 'string') this.kept = { body, etag };
    return etag;
  }
}

function lastModified(headers: HeaderMap): number | null {
  const date = headerText(headers, 'last-modified');
  return date === undefined ? null : parseHttpDate(date);
}
