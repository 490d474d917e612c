import type { IncomingMessage } from 'node:http';
import { type Readable, Transform } from 'node:stream';
import { BackworksError } from '../errors.js';
import { rawHeader } from '../pipeline/documents/header-map.js';
import { charsetOf, isPlainCoding } from '../pipeline/documents/media-type.js';

const REST_MAX_MS = 500;
const REST_MAX_BYTES = 64 * 1024 * 1024;
const CHARSETS = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii']);

/** @throws BackworksError BW_REQUEST_BODY_TOO_LARGE when the announced length exceeds the limit. */
export function checkLength(rawHeaders: readonly string[], limitBytes: number): void {
  if (Number(rawHeader(rawHeaders, 'content-length') ?? 0) > limitBytes) throw tooLarge(limitBytes);
}

/** @throws BackworksError BW_REQUEST_MEDIA_TYPE when the body is compressed or not UTF-8: plugins cannot read it. */
export function checkEncoding(rawHeaders: readonly string[]): void {
  if (!isPlain(rawHeaders)) {
    throw new BackworksError('BW_REQUEST_MEDIA_TYPE', 'the body has a content-encoding other than identity');
  }
  const charset = charsetOf(rawHeader(rawHeaders, 'content-type'));
  if (charset !== undefined && !CHARSETS.has(charset)) {
    throw new BackworksError('BW_REQUEST_MEDIA_TYPE', 'the body has a charset other than UTF-8');
  }
}

/** Whether no Content-Encoding line names a coding. There may be several lines with several codings each. */
function isPlain(rawHeaders: readonly string[]): boolean {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const named = rawHeaders[i]!.toLowerCase() === 'content-encoding';
    if (named && !isPlainCoding(rawHeaders[i + 1])) return false;
  }
  return true;
}

/**
 * Reads a body to its end. When the body exceeds the limit, stops reading and leaves the rest to the server,
 * so that the connection can still carry the answer.
 */
export function collect(source: Readable, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > limitBytes) settle(() => reject(tooLarge(limitBytes)));
    };
    const onEnd = (): void => settle(() => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    const onClose = (): void => settle(() => reject(endedEarly()));
    const settle = (finish: () => void): void => {
      source.pause().off('data', onData).off('end', onEnd).off('close', onClose);
      finish();
    };
    if (source.destroyed) return reject(endedEarly());
    // An error is always followed by close. Without a listener, an error would end the server.
    source.on('data', onData).on('end', onEnd).on('close', onClose).on('error', ignore);
  });
}

/** The body as it arrives. Destroying the result does not destroy the client's connection. */
export function limited(source: Readable, limitBytes: number): Readable {
  let length = 0;
  const limiter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      length += chunk.length;
      if (length > limitBytes) done(tooLarge(limitBytes));
      else done(null, chunk);
    },
  });
  source.on('error', (error) => limiter.destroy(error));
  return source.pipe(limiter);
}

/**
 * Reads and discards the rest of a body, so that the connection can carry its answer and the next request.
 * A client that sends too much, or for too long, loses the connection instead.
 */
export function discardRest(incoming: IncomingMessage): void {
  const { socket } = incoming;
  let bytes = 0;
  const timer = setTimeout(() => socket.destroySoon(), REST_MAX_MS);
  const stop = (): void => clearTimeout(timer);
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > REST_MAX_BYTES) socket.destroySoon();
  });
  incoming.once('end', stop).once('close', stop).on('error', ignore).resume();
}

function tooLarge(limitBytes: number): BackworksError {
  return new BackworksError('BW_REQUEST_BODY_TOO_LARGE', `the body is longer than ${limitBytes} bytes`);
}

function endedEarly(): BackworksError {
  return new BackworksError('BW_REQUEST_INVALID', 'the body ended early');
}

function ignore(): void {}
