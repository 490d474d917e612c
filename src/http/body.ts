import type { IncomingMessage } from 'node:http';
import { type Readable, Transform } from 'node:stream';
import { BackworksError } from '../errors.js';
import { bodyTooLarge } from '../pipeline/body-limits.js';
import { rawHeader } from '../pipeline/documents/header-map.js';
import type { BodyLimits } from '../pipeline/documents/incoming-request.js';
import { charsetOf, isPlainCoding } from '../pipeline/documents/media-type.js';
import { ClientClock } from './client-clock.js';

const REST_MAX_MS = 500;
const REST_MAX_BYTES = 64 * 1024 * 1024;
const CHARSETS = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii']);

/**
 * Plugins get text in UTF-8. A body with a content coding is passed to them as bytes, whatever its charset.
 * @throws BackworksError BW_REQUEST_MEDIA_TYPE when plugins could not read the body.
 */
export function checkCharset(rawHeaders: readonly string[]): void {
  if (!isPlain(rawHeaders)) return;
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
 * Reads a body to its end. When the body exceeds a limit, stops reading and leaves the rest to the server,
 * so that the connection can still carry the answer.
 */
export function collect(source: Readable, { bodyLimitBytes, bodyTimeoutMs }: BodyLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const onLate = (): void => settle(() => reject(tooSlow(bodyTimeoutMs)));
    const clock = new ClientClock(bodyTimeoutMs, () => true, onLate);
    const onData = (chunk: Buffer): void => {
      clock.restart();
      chunks.push(chunk);
      length += chunk.length;
      if (length > bodyLimitBytes) settle(() => reject(bodyTooLarge(bodyLimitBytes)));
    };
    const onEnd = (): void => settle(() => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    const onClose = (): void => settle(() => reject(endedEarly()));
    const settle = (finish: () => void): void => {
      clock.stop();
      source.pause().off('data', onData).off('end', onEnd).off('close', onClose);
      finish();
    };
    if (source.destroyed) return onClose();
    // An error is always followed by close. Without a listener, an error would end the server.
    source.on('data', onData).on('end', onEnd).on('close', onClose).on('error', ignore);
  });
}

/**
 * The body as it arrives; it fails when it exceeds a limit. Destroying the result does not destroy the client's
 * connection. The client's time does not run while its bytes wait to be taken.
 */
export function arriving(source: Readable, { bodyLimitBytes, bodyTimeoutMs }: BodyLimits): Readable {
  let length = 0;
  const passage = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      clock.restart();
      length += chunk.length;
      if (length > bodyLimitBytes) done(bodyTooLarge(bodyLimitBytes));
      else done(null, chunk);
    },
  });
  const isClientsTurn = (): boolean => passage.writableLength === 0;
  const onLate = (): Transform => passage.destroy(tooSlow(bodyTimeoutMs));
  const clock = new ClientClock(bodyTimeoutMs, isClientsTurn, onLate);
  const stop = (): void => clock.stop();
  passage.on('drain', () => clock.restart());
  passage.once('finish', stop).once('close', stop);
  source.on('error', (error) => passage.destroy(error));
  return source.pipe(passage);
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

function tooSlow(timeoutMs: number): BackworksError {
  return new BackworksError('BW_REQUEST_TIMEOUT', `the client sent nothing of the body for ${timeoutMs} ms`);
}

function endedEarly(): BackworksError {
  return new BackworksError('BW_REQUEST_INVALID', 'the body ended early');
}

function ignore(): void {}
