import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Readable, Transform } from 'node:stream';
import { BackworksError } from '../errors.js';
import { bodyTooLarge } from '../pipeline/documents/body-limits.js';
import type { BodyLimits } from '../pipeline/documents/incoming-request.js';
import { ClientClock } from './client-clock.js';
import { http2Stream } from './http2-stream.js';

const REST_MAX_MS = 500;
const REST_MAX_BYTES = 64 * 1024 * 1024;

/** Requests whose clients send the body only when they are told to (`expect: 100-continue`). */
const waitingClients = new WeakMap<IncomingMessage, ServerResponse>();

/** The client waits to be told to send the body. */
export function awaitContinue(incoming: IncomingMessage, outgoing: ServerResponse): void {
  waitingClients.set(incoming, outgoing);
}

/** Whether the client still waits: it may never send the body. */
export function isWaiting(incoming: IncomingMessage): boolean {
  return waitingClients.has(incoming);
}

/** Tells a client that waits to send the body. */
export function requestBody(incoming: IncomingMessage): void {
  waitingClients.get(incoming)?.writeContinue();
  waitingClients.delete(incoming);
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
    const onEnd = (): void => {
      if (isCutOff(source)) onClose();
      else settle(() => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    };
    const onClose = (): void => settle(() => reject(endedEarly()));
    const settle = (finish: () => void): void => {
      clock.stop();
      source.pause().off('data', onData).off('end', onEnd).off('close', onClose);
      finish();
    };
    if (source.destroyed || isCutOff(source)) return onClose();
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
    flush(done) {
      done(isCutOff(source) ? endedEarly() : null);
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
 * A client that sends too much, or for too long, loses the connection instead, or only the stream over HTTP/2.
 */
export function discardRest(incoming: IncomingMessage): void {
  const giveUp = (): void => {
    const stream = http2Stream(incoming);
    if (stream === null) incoming.socket.destroySoon();
    else stream.close();
  };
  let bytes = 0;
  const timer = setTimeout(giveUp, REST_MAX_MS);
  const stop = (): void => clearTimeout(timer);
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > REST_MAX_BYTES) giveUp();
  });
  incoming.once('end', stop).once('close', stop).on('error', ignore).resume();
}

/** Whether the client ended an HTTP/2 stream within the body. Node then ends the body as if it were complete. */
function isCutOff(source: Readable): boolean {
  const stream = 'httpVersionMajor' in source ? http2Stream(source as IncomingMessage) : null;
  return stream?.aborted === true;
}

function tooSlow(timeoutMs: number): BackworksError {
  return new BackworksError('BW_REQUEST_TIMEOUT', `the client sent nothing of the body for ${timeoutMs} ms`);
}

function endedEarly(): BackworksError {
  return new BackworksError('BW_REQUEST_INVALID', 'the body ended early');
}

function ignore(): void {}
