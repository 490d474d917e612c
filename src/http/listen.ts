import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { RequestError, getRequestListener } from '@hono/node-server';
import { randomUUID } from 'node:crypto';
import { BackworksError } from '../errors.js';
import { type Log, silentLog } from '../log.js';
import type { HeaderMap } from '../plugins/plugin.js';
import { awaitContinue, discardRest, requestBody } from './body.js';
import { Connection } from './connection.js';
import { connectionsMax } from './connection-limit.js';
import { problemOf, problemResponse } from './problem.js';
import { acceptHead, type RequestHead } from './request-head.js';

/** What can be served: a Hono app, or anything with its fetch. */
export interface Servable {
  fetch(request: Request, bindings: never): Response | Promise<Response>;
  /** Called first for each request, also for one that is refused. */
  observe?(incoming: http.IncomingMessage, outgoing: http.ServerResponse): void;
  /** A faster path than fetch(); returns false when the request must go through fetch(). */
  serve?(incoming: http.IncomingMessage, outgoing: http.ServerResponse, head: RequestHead): boolean;
  /** Changes the headers of the responses that the listener itself gives; null when nothing is to be changed. */
  changeHeaders?(): ((headers: HeaderMap) => void) | null;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly log?: Log;
  /** A client that reads none of the bytes waiting for it for this long loses its connection. */
  readonly writeTimeoutMs?: number;
}

export interface Listener {
  readonly address: string;
  readonly port: number;
  /** For people and for curl: an IPv6 address has brackets. */
  readonly url: string;
  /**
   * Closes the server. It keeps serving for `delayMs`, so that load balancers notice. Then it accepts no new
   * connections and lets requests finish for at most `timeoutMs`. Repeated calls wait for the first.
   */
  close(options?: { delayMs?: number; timeoutMs?: number }): Promise<void>;
}

const SERVER_OPTIONS: http.ServerOptions = {
  headersTimeout: 15_000,
  // The body has its own timeout, between two reads, so that a long upload may take its time.
  requestTimeout: 0,
  // Node's default is 30 s: a client that sends headers byte by byte would keep its connection for 45 s.
  connectionsCheckingInterval: 1000,
  // Longer than the 60 s after which load balancers drop idle connections, so that they close first.
  keepAliveTimeout: 65_000,
  maxHeaderSize: 16 * 1024,
  // acceptHead() refuses such a request with a problem document.
  requireHostHeader: false,
};
/** The host in the URL of a request without a Host header, which HTTP/1.0 allows. */
const NO_HOST = 'localhost';
const WRITE_TIMEOUT_MS = 30_000;
const SWEEP_MS = 1000;
/**
 * Connections that may wait to be accepted; the kernel allows at most net.core.somaxconn, by default 4096.
 * Beyond that the kernel drops handshakes, which clients repeat after a second. Node's default of 511 would
 * drop most of a burst.
 */
const BACKLOG = 4096;
const IDLE_CHECK_MS = 50;

/**
 * Serves an app on a socket.
 * @throws BackworksError BW_SERVER_LISTEN when the address cannot be used, with the reason
 */
export async function listen(
  app: Servable,
  { host, port, log = silentLog, writeTimeoutMs = WRITE_TIMEOUT_MS }: ListenOptions,
): Promise<Listener> {
  const handler = getRequestListener((request, bindings) => app.fetch(request, bindings as never), {
    hostname: NO_HOST,
    errorHandler: (error) => problemResponse(asRequestProblem(error), '', randomUUID(), log),
  });
  const serve = (incoming: http.IncomingMessage, outgoing: http.ServerResponse): void => {
    app.observe?.(incoming, outgoing);
    let head: RequestHead;
    try {
      head = acceptHead(incoming);
    } catch (error) {
      const id = randomUUID();
      refuse(changed(app, problemOf(error, '', id, log)), id, incoming, outgoing);
      return;
    }
    if (incoming.url === '*' && incoming.method === 'OPTIONS') {
      const { headers } = changed(app, { headers: {} });
      outgoing.writeHead(204, { ...headers, 'x-request-id': randomUUID() }).end();
      return;
    }
    if (app.serve === undefined) requestBody(incoming);
    if (app.serve?.(incoming, outgoing, head) !== true) void handler(incoming, outgoing);
  };
  const admit = (incoming: http.IncomingMessage, outgoing: http.ServerResponse): void =>
    Connection.of(incoming.socket).admit(incoming, outgoing, serve);
  const server = http.createServer(SERVER_OPTIONS, admit);
  server.on('checkContinue', (incoming: http.IncomingMessage, outgoing: http.ServerResponse) => {
    awaitContinue(incoming, outgoing);
    admit(incoming, outgoing);
  });
  server.on('connect', (_incoming, socket: Socket) => Connection.of(socket).endWith(NO_TUNNEL));
  const connections = watchWrites(server, writeTimeoutMs, log);
  const most = connectionsMax();
  if (most !== null) server.maxConnections = most;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, host, port)));
    server.listen(port, host, BACKLOG, resolve);
  });
  const bound = server.address() as AddressInfo;
  const shownHost = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  let closing: Promise<void> | undefined;
  return {
    address: bound.address,
    port: bound.port,
    url: `http://${shownHost}:${bound.port}`,
    close: ({ delayMs = 0, timeoutMs = 10_000 } = {}) =>
      (closing ??= drain(server, connections, delayMs, timeoutMs)),
  };
}

async function drain(
  server: http.Server,
  connections: ReadonlySet<Connection>,
  delayMs: number,
  timeoutMs: number,
): Promise<void> {
  if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
  for (const connection of connections) connection.drain();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // close() ends connections that are idle now. This ends connections that become idle later.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  const deadline = setTimeout(() => server.closeAllConnections(), timeoutMs);
  await closed;
  clearInterval(idle);
  clearTimeout(deadline);
}

/** Closes connections whose clients stop reading. @returns the open connections */
function watchWrites(server: http.Server, timeoutMs: number, log: Log): ReadonlySet<Connection> {
  const connections = new Set<Connection>();
  server.on('connection', (socket: Socket) => {
    const connection = Connection.of(socket);
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
  });
  server.on('timeout', (socket: Socket) => Connection.of(socket).timedOut(log));
  // Connections are checked once a second, so that an ordinary request starts no timer.
  const sweep = setInterval(() => {
    for (const connection of connections) connection.expectProgress(timeoutMs);
  }, SWEEP_MS).unref();
  server.once('close', () => clearInterval(sweep));
  return connections;
}

/** Answers a request that is not read further, and closes its connection. */
function refuse(
  { status, headers, body }: ReturnType<typeof problemOf>,
  id: string,
  incoming: http.IncomingMessage,
  outgoing: http.ServerResponse,
): void {
  const length = Buffer.byteLength(body!);
  outgoing.writeHead(status, {
    ...headers,
    'x-request-id': id,
    'content-length': length,
    connection: 'close',
  });
  outgoing.end(incoming.method === 'HEAD' ? undefined : body);
  if (!incoming.complete) discardRest(incoming);
}

/** A response of the listener itself, with the headers that the app wants. */
function changed<T extends { headers: HeaderMap }>(app: Servable, response: T): T {
  app.changeHeaders?.()?.(response.headers);
  return response;
}

const NO_TUNNEL = 'HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

/** node-server rejects request targets and Host headers that do not form a URL. */
function asRequestProblem(error: unknown): unknown {
  if (!(error instanceof RequestError)) return error;
  return new BackworksError('BW_REQUEST_INVALID', 'the request target or the Host header is malformed', {
    cause: error,
  });
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): BackworksError {
  const code = error.code ?? 'unknown error';
  const known = REASONS[code];
  const reason = known?.reason(host, port) ?? `cannot listen on ${host} port ${port} (${code})`;
  return new BackworksError('BW_SERVER_LISTEN', reason, { hint: known?.hint, cause: error });
}

const NO_NAME = {
  reason: (host: string) => `the host name ${host} has no address`,
  hint: 'use an IP address or a name that resolves',
};

const REASONS: Record<string, { reason: (host: string, port: number) => string; hint: string }> = {
  EADDRINUSE: {
    reason: (host, port) => `port ${port} of ${host} is in use by another program`,
    hint: 'stop that program or choose another port',
  },
  EACCES: {
    reason: (_host, port) => `this user may not listen on port ${port}`,
    hint: 'choose a port above 1023, or grant CAP_NET_BIND_SERVICE',
  },
  EADDRNOTAVAIL: {
    reason: (host) => `${host} is not an address of this machine`,
    hint: 'use 127.0.0.1, 0.0.0.0 or an address of this machine',
  },
  ENOTFOUND: NO_NAME,
  EAI_AGAIN: NO_NAME,
};
