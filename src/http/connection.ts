import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Log } from '../log.js';
import { ObservedRequest } from './observed-request.js';
import { type Cancellable, type Client, type Peer, socketPeer, statedClient } from './peer.js';

type Serve = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

/** A pipelined request that waits for earlier responses. */
interface WaitingRequest {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly serve: Serve;
}

/**
 * How many requests of one connection are served at once. Their responses wait in memory until the client
 * has read the responses before them.
 * @internal exported for its test
 */
export const CONCURRENT_MAX = 8;
/**
 * How many further requests of one connection wait. The response to the last one announces that the connection closes.
 * @internal exported for its test
 */
export const WAITING_MAX = 1024;

/** How long a client may take to read the last answer of a connection and to close it. */
const LINGER_MS = 500;

const CONNECTION = Symbol('the client of a socket');
type Marked = Socket & { [CONNECTION]?: Connection };

/**
 * A client's HTTP/1 connection and its requests. Requests in flight are cancelled when the client goes away; one
 * listener per connection watches for that. When a client pipelines more requests than it reads responses,
 * no further requests are served, and after a while nothing more is read from it.
 */
export class Connection implements Client {
  readonly peer: Peer;
  /** Requests without an answer, in the order of arrival. Usually one. */
  private readonly inFlight: Cancellable[] = [];
  /** Responses that the client's socket has not accepted completely, oldest first. */
  private readonly unsent: ServerResponse[] = [];
  private readonly waiting: WaitingRequest[] = [];
  private requests = 0;
  /** No further request is served; the response to the last request announces that the connection closes. */
  private full = false;
  private draining = false;
  /** While draining: the response that announces that the connection closes. */
  private last: ServerResponse | undefined;

  private constructor(private readonly socket: Socket) {
    this.peer = socketPeer(socket);
    socket.once('close', () => {
      this.waiting.length = 0;
      for (const request of this.inFlight.splice(0)) request.cancel();
      for (const outgoing of this.unsent) ObservedRequest.of(outgoing)?.end();
    });
  }

  static of(socket: Marked): Connection {
    return (socket[CONNECTION] ??= new Connection(socket));
  }

  /** The client of a request: its connection, or its HTTP/2 stream. */
  static clientOf(incoming: IncomingMessage): Client {
    return statedClient(incoming) ?? Connection.of(incoming.socket);
  }

  /**
   * Serves a request now, or as soon as enough earlier responses have been sent.
   * @param requestsMax how many requests the connection may carry
   */
  admit(incoming: IncomingMessage, outgoing: ServerResponse, serve: Serve, requestsMax = Infinity): void {
    this.forgetSent();
    if (this.full) return;
    this.requests += 1;
    if (this.requests >= requestsMax) {
      this.closeAfter(outgoing);
      this.full = true;
    }
    if (this.draining) this.closeAfter(outgoing);
    if (this.unsent.length < CONCURRENT_MAX && this.waiting.length === 0) {
      this.unsent.push(outgoing);
      serve(incoming, outgoing);
      return;
    }
    this.waiting.push({ incoming, outgoing, serve });
    // HTTP lets a server close after any response; the client repeats the requests without an answer.
    if (this.waiting.length === WAITING_MAX) {
      this.closeAfter(outgoing);
      this.full = true;
    }
    if (this.waiting.length === 1) this.awaitOldest();
  }

  begin(request: Cancellable): void {
    this.inFlight.push(request);
  }

  end(request: Cancellable): void {
    if (this.inFlight.at(-1) === request) this.inFlight.pop();
    else {
      const place = this.inFlight.indexOf(request);
      if (place !== -1) this.inFlight.splice(place, 1);
    }
  }

  /**
   * Makes the response to the last request announce that the connection closes. HTTP forbids answers after
   * that response, so a request that arrives before it is sent becomes the last one.
   */
  drain(): void {
    this.draining = true;
    this.forgetSent();
    const last = this.waiting.at(-1)?.outgoing ?? this.unsent.at(-1);
    if (last !== undefined && !this.full) this.closeAfter(last);
  }

  /**
   * Starts the timer of a client that has bytes to read. Node restarts the timer whenever the client reads
   * some, and calls timedOut() when it expires.
   */
  expectProgress(timeoutMs: number): void {
    this.forgetSent();
    const { socket } = this;
    if (socket.writableLength > 0 && socket.timeout !== timeoutMs) socket.setTimeout(timeoutMs);
  }

  /** The socket's timer expired: after the last response, or because the client does not read. */
  timedOut(log: Log): void {
    this.forgetSent();
    const { socket } = this;
    const bytes = socket.writableLength;
    if (bytes === 0 && this.unsent.length > 0) {
      // The client has read everything; the server waits for a plugin or a proxy target.
      socket.setTimeout(0);
      return;
    }
    if (bytes > 0) {
      const message = `a client stopped reading while ${bytes} bytes waited for it; its connection is closed`;
      log.debug({ remote: this.peer.remote?.address }, message);
    }
    socket.destroy();
  }

  /**
   * Sends bytes behind the responses to earlier requests, and closes the connection. For a socket that Node hands
   * over (CONNECT): nothing else listens for its errors or limits its time.
   */
  endWith(bytes: string): void {
    const { socket } = this;
    const send = (): void => {
      if (socket.destroyed) return;
      socket.end(bytes);
      const late = setTimeout(() => socket.destroy(), LINGER_MS);
      socket.once('close', () => clearTimeout(late));
    };
    socket.on('error', () => undefined).resume();
    this.forgetSent();
    const last = this.waiting.at(-1)?.outgoing ?? this.unsent.at(-1);
    if (last === undefined) send();
    else last.once('close', send);
  }

  closeAfter(outgoing: ServerResponse): void {
    if (this.last !== undefined && !this.last.headersSent) this.last.removeHeader('connection');
    if (!outgoing.headersSent) outgoing.setHeader('connection', 'close');
    this.last = outgoing;
  }

  private awaitOldest(): void {
    this.socket.pause();
    this.unsent[0]!.once('close', () => this.serveWaiting());
  }

  private serveWaiting(): void {
    if (this.socket.destroyed) return;
    this.forgetSent();
    while (this.waiting.length > 0 && this.unsent.length < CONCURRENT_MAX) {
      const { incoming, outgoing, serve } = this.waiting.shift()!;
      this.unsent.push(outgoing);
      serve(incoming, outgoing);
    }
    if (this.waiting.length > 0) this.awaitOldest();
    else if (!this.full) this.socket.resume();
  }

  private forgetSent(): void {
    const { unsent } = this;
    while (unsent.length > 0 && (unsent[0]!.writableFinished || unsent[0]!.destroyed)) unsent.shift();
  }
}
