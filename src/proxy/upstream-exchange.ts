import http from 'node:http';
import https from 'node:https';
import { pipeline } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Socket } from 'node:net';
import { BackworksError } from '../errors.js';
import { passingTrailers } from '../pipeline/documents/end-to-end.js';
import type { IncomingRequest } from '../pipeline/documents/incoming-request.js';
import { StreamedBody } from './streamed-body.js';
import { UpstreamFailure } from './upstream-failure.js';

export interface UpstreamOptions extends https.RequestOptions {
  readonly method: string;
  readonly headers: http.OutgoingHttpHeaders;
  readonly signal: AbortSignal;
}

/** What is sent to a proxy target. */
export interface UpstreamRequest {
  /** How messages call the target. */
  readonly target: string;
  readonly options: UpstreamOptions;
  readonly body: StreamedBody | Buffer | null;
  readonly client: Pick<IncomingRequest, 'rawTrailers' | 'sendEarlyHints'>;
  /** How long connecting may take, TLS handshake included. */
  readonly connectTimeoutMs: number;
  /** How long the target may be silent, before and during its answer. */
  readonly timeoutMs: number;
}

const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
/** How often a request is sent again because a kept connection was closed just before it was used. */
const STALE_MAX = 3;
/** How long a target may take to ask for a body that the client holds back. Some targets never ask. */
const CONTINUE_MS = 1000;
const EARLY_HINTS = 103;

/** Whether a request can be sent again even if a target may have acted on it. */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

/**
 * Sends a request to a target. An idempotent request is sent again when a kept connection turns out to be closed.
 * @returns the answer; its body fails with BW_PROXY_TIMEOUT when the target falls silent
 * @throws UpstreamFailure when there is no answer; BackworksError BW_REQUEST_INVALID when the client has
 *   disconnected, or the error of the request body
 */
export async function askUpstream(request: UpstreamRequest): Promise<http.IncomingMessage> {
  for (let attempt = 0; ; attempt += 1) {
    const exchange = new UpstreamExchange(request);
    try {
      return await exchange.answer;
    } catch (error) {
      if (attempt === STALE_MAX || !exchange.mayRepeat(error)) throw error;
    }
  }
}

/**
 * One request on one connection to the target. Two timers run for `timeoutMs`. Any byte in either direction
 * resets the socket's timer. The other timer starts at the end of the request and waits for the head of the
 * final answer; 1xx responses and single bytes do not reset it. Neither runs while the server waits for the client.
 */
class UpstreamExchange {
  readonly answer: Promise<http.IncomingMessage>;
  /** Null while there is no answer. */
  private message: http.IncomingMessage | null = null;
  private readonly request: UpstreamRequest;
  private readonly upstream: http.ClientRequest;
  private isConnected = false;
  /** Waits for the connection, then for the target to ask for the body, then for the head of the answer. */
  private timer: NodeJS.Timeout | undefined;
  private resolve!: (answer: http.IncomingMessage) => void;
  private reject!: (error: Error) => void;

  constructor(request: UpstreamRequest) {
    this.request = request;
    const { options, body, timeoutMs } = request;
    const { request: open } = options.protocol === 'https:' ? https : http;
    const upstream = open({ ...options, timeout: timeoutMs });
    this.upstream = upstream;
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    upstream.once('response', (message) => this.begin(message));
    upstream.once('upgrade', (_message, socket) => {
      socket.destroy();
      const what = 'switched protocols (101), which the request did not ask for';
      this.reject(new UpstreamFailure('invalid', what));
    });
    upstream.on('timeout', () => this.onTimeout());
    upstream.on('error', (error) => this.reject(this.explain(error)));
    upstream.once('close', () => {
      clearTimeout(this.timer);
      this.reject(this.failure('closed the connection without an answer'));
    });
    upstream.once('finish', () => this.awaitHead());
    upstream.on('information', (interim) => this.inform(interim));
    if (!(body instanceof StreamedBody)) upstream.end(body ?? undefined);
    if (upstream.reusedSocket) this.connected();
    else upstream.once('socket', (socket: Socket) => this.connect(socket));
  }

  /** Whether the request can be repeated: a kept connection was closed just before it was used. */
  mayRepeat(error: unknown): boolean {
    const { body, options } = this.request;
    const isStale =
      this.upstream.reusedSocket && error instanceof UpstreamFailure && codeOf(error.cause) === 'ECONNRESET';
    return isStale && !(body instanceof StreamedBody) && isIdempotent(options.method);
  }

  private connect(socket: Socket): void {
    const { connectTimeoutMs } = this.request;
    if (!isConnecting(socket)) {
      this.connected();
      return;
    }
    this.wait(connectTimeoutMs, () => {
      const what = `did not accept a connection within ${connectTimeoutMs} ms`;
      this.upstream.destroy(new UpstreamFailure('connect', what, { isLate: true }));
    });
    socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => {
      clearTimeout(this.timer);
      this.connected();
    });
  }

  /** The body of the client is read only now: until then the request can go to another target. */
  private connected(): void {
    this.isConnected = true;
    const { body, options } = this.request;
    if (!(body instanceof StreamedBody)) return;
    if (options.headers['expect'] === undefined) {
      this.sendBody(body);
      return;
    }
    const send = (): void => {
      clearTimeout(this.timer);
      if (this.message === null && !this.upstream.destroyed && !body.isOpen) this.sendBody(body);
    };
    this.wait(CONTINUE_MS, send);
    this.upstream.once('continue', send);
  }

  private sendBody(streamed: StreamedBody): void {
    const { upstream, request } = this;
    const body = streamed.open();
    body.once('end', () => upstream.addTrailers(passingTrailers(request.client.rawTrailers)));
    // Once there is an answer, only the answer decides how the exchange ends.
    pipeline(body, upstream, (error) => {
      if (error) this.reject(this.explain(error));
    });
    // The target may have to answer before the client sends the first byte.
    setImmediate(() => {
      if (!upstream.headersSent && !upstream.destroyed) upstream.flushHeaders();
    });
  }

  private awaitHead(): void {
    if (this.message !== null || this.upstream.destroyed) return;
    this.wait(this.request.timeoutMs, () => this.upstream.destroy(this.timedOut()));
  }

  private begin(message: http.IncomingMessage): void {
    clearTimeout(this.timer);
    this.message = message;
    // The reader of the body sees its errors. This listener keeps an earlier error from ending the server.
    message.on('error', () => undefined);
    // The exchange is over, even if part of the request was not sent.
    message.once('close', () => {
      if (!this.upstream.writableFinished) this.upstream.destroy();
    });
    this.resolve(message);
  }

  private inform({ statusCode, rawHeaders }: http.InformationEvent): void {
    if (statusCode === EARLY_HINTS && this.message === null) this.request.client.sendEarlyHints(rawHeaders);
  }

  /** The target sent nothing for the allowed time. */
  private onTimeout(): void {
    const { timeoutMs, target } = this.request;
    if (this.waitsForClient()) this.upstream.socket?.setTimeout(timeoutMs);
    else if (this.message !== null) this.message.destroy(this.timedOut().toError(target));
    else this.upstream.destroy(this.timedOut());
  }

  /** Whether the client must act next: read what has arrived of the answer, or send more of the body. */
  private waitsForClient(): boolean {
    if (this.message !== null && this.message.readableLength > 0) return true;
    const { body } = this.request;
    return body instanceof StreamedBody && !body.hasEnded && this.upstream.writableLength === 0;
  }

  private explain(error: Error): Error {
    if (this.request.options.signal.aborted)
      return new BackworksError('BW_REQUEST_INVALID', 'the client disconnected', { cause: error });
    if (error instanceof BackworksError || error instanceof UpstreamFailure) return error;
    return this.failure(`did not answer (${codeOf(error) ?? 'unknown error'})`, error);
  }

  private timedOut(): UpstreamFailure {
    const what = `sent nothing for ${this.request.timeoutMs} ms`;
    return new UpstreamFailure(this.isConnected ? 'timeout' : 'connect', what, { isLate: true });
  }

  private failure(what: string, cause?: Error): UpstreamFailure {
    const isMalformed = codeOf(cause)?.startsWith('HPE_') === true;
    const kind = isMalformed ? 'invalid' : this.isConnected ? 'reset' : 'connect';
    return new UpstreamFailure(kind, what, { cause });
  }

  private wait(ms: number, act: () => void): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(act, ms);
  }
}

/** Whether a socket cannot carry a request yet. */
function isConnecting(socket: Socket): boolean {
  // A TLS connection whose handshake is not over has no protocol version.
  return socket.connecting || (socket instanceof TLSSocket && socket.getProtocol() === null);
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}
