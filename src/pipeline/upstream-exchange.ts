import http from 'node:http';
import https from 'node:https';
import { Readable, pipeline } from 'node:stream';
import { BackworksError } from '../errors.js';
import { passingTrailers } from './end-to-end.js';

export interface UpstreamOptions extends https.RequestOptions {
  readonly method: string;
}

/** What is sent to a proxy target. */
export interface UpstreamRequest {
  /** Name of the endpoint, for messages. */
  readonly endpoint: string;
  readonly options: UpstreamOptions;
  readonly body: Readable | Buffer | null;
  /** Flat list of the header lines behind a body that is a stream, when that has ended. */
  readonly trailers: () => readonly string[];
  /** How long the target may be silent, before and during its answer. */
  readonly timeoutMs: number;
}

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/**
 * Sends a request to a target. A repeatable request is sent a second time when a kept connection turns out to
 * be closed.
 * @returns the answer; its body fails with BW_PROXY_TIMEOUT when the target falls silent
 * @throws Error when there is no answer; BackworksError BW_PROXY_TIMEOUT, BW_PROXY_UPSTREAM, or the error of
 *   the request body
 */
export async function askUpstream(request: UpstreamRequest): Promise<http.IncomingMessage> {
  const first = new UpstreamExchange(request);
  try {
    return await first.answer;
  } catch (error) {
    if (!first.mayRepeat(error)) throw error;
    return new UpstreamExchange(request).answer;
  }
}

/**
 * One request on one connection to the target. Two timers run for `timeoutMs`. Any byte in either direction
 * resets the socket's timer. The other timer starts at the end of the request and waits for the head of the
 * final answer; 1xx responses and single bytes do not reset it. Neither runs while the server waits for the client.
 */
class UpstreamExchange {
  readonly answer: Promise<http.IncomingMessage>;
  private readonly request: UpstreamRequest;
  private readonly upstream: http.ClientRequest;
  private answered: http.IncomingMessage | null = null;
  private headTimer: NodeJS.Timeout | undefined;

  constructor(request: UpstreamRequest) {
    this.request = request;
    const { options, body, timeoutMs } = request;
    const { request: open } = options.protocol === 'https:' ? https : http;
    const upstream = open({ ...options, timeout: timeoutMs });
    this.upstream = upstream;
    this.answer = new Promise((resolve, reject) => {
      upstream.once('response', (answer) => {
        this.begin(answer);
        resolve(answer);
      });
      upstream.once('upgrade', (_answer, socket) => {
        socket.destroy();
        reject(this.failure('switched protocols (101), which the request did not ask for'));
      });
      upstream.on('timeout', () => this.onTimeout());
      upstream.on('error', reject);
      upstream.once('close', () => {
        clearTimeout(this.headTimer);
        reject(this.failure('closed the connection without an answer'));
      });
      if (body instanceof Readable) {
        body.once('end', () => upstream.addTrailers(passingTrailers(request.trailers())));
        // Once there is an answer, only the answer decides how the exchange ends.
        pipeline(body, upstream, (error) => {
          if (error) reject(error);
        });
      } else upstream.end(body ?? undefined);
    });
    upstream.once('finish', () => this.awaitHead());
  }

  /** Whether the request can be repeated: a kept connection was closed just before it was used. */
  mayRepeat(error: unknown): boolean {
    const { body, options } = this.request;
    const stale = this.upstream.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
    return stale && !(body instanceof Readable) && IDEMPOTENT.has(options.method);
  }

  private awaitHead(): void {
    if (this.answered !== null || this.upstream.destroyed) return;
    const { timeoutMs } = this.request;
    this.headTimer = setTimeout(() => this.upstream.destroy(this.timedOut()), timeoutMs);
  }

  private begin(answer: http.IncomingMessage): void {
    clearTimeout(this.headTimer);
    this.answered = answer;
    // The reader of the body sees its errors. This listener keeps an earlier error from ending the server.
    answer.on('error', () => undefined);
    // The exchange is over, even if part of the request was not sent.
    answer.once('close', () => {
      if (!this.upstream.writableFinished) this.upstream.destroy();
    });
  }

  /** The target sent nothing for the allowed time. */
  private onTimeout(): void {
    const { timeoutMs } = this.request;
    if (this.waitsForClient()) this.upstream.socket?.setTimeout(timeoutMs);
    else if (this.answered !== null) this.answered.destroy(this.timedOut());
    else this.upstream.destroy(this.timedOut());
  }

  /** Whether the client must act next: read what has arrived of the answer, or send more of the body. */
  private waitsForClient(): boolean {
    if (this.answered !== null && this.answered.readableLength > 0) return true;
    const { body } = this.request;
    return body instanceof Readable && !body.readableEnded && this.upstream.writableLength === 0;
  }

  private timedOut(): BackworksError {
    const { endpoint, timeoutMs } = this.request;
    const message = `the target of endpoint ${endpoint} sent nothing for ${timeoutMs} ms`;
    return new BackworksError('BW_PROXY_TIMEOUT', message);
  }

  private failure(what: string): BackworksError {
    return new BackworksError('BW_PROXY_UPSTREAM', `the target of endpoint ${this.request.endpoint} ${what}`);
  }
}
