import type http from 'node:http';
import type { AddressInfo } from 'node:net';
import { RequestError, getRequestListener } from '@hono/node-server';
import { randomUUID } from 'node:crypto';
import type { ConnectionsConfig, Http2Config, ProxyProtocolConfig } from '../config/types.js';
import { BackworksError } from '../errors.js';
import { type Log, silentLog } from '../log.js';
import type { HeaderMap } from '../plugins/plugin.js';
import type { Certificates } from '../tls/certificates.js';
import { discardRest, requestBody } from './body.js';
import { Connection } from './connection.js';
import { connectionsMax } from './connection-limit.js';
import type { Serve } from './http1-server.js';
import { listenError } from './listen-error.js';
import { problemOf, problemResponse } from './problem.js';
import { acceptHead, type RequestHead } from './request-head.js';
import { Servers } from './servers.js';

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
  /** Null or absent: plain HTTP. */
  readonly tls?: Certificates | null;
  /** Absent: only HTTP/1. */
  readonly http2?: Http2Config;
  readonly proxyProtocol?: ProxyProtocolConfig;
  readonly connections?: Partial<ConnectionsConfig>;
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

/** The host in the URL of a request without a Host header, which HTTP/1.0 allows. */
const NO_HOST = 'localhost';
/**
 * The defaults of `server.connections`. The admin API always has them.
 * @internal exported for its test
 */
export const DEFAULT_CONNECTIONS: ConnectionsConfig = {
  max: null,
  maxRequests: 0,
  headerLimitBytes: 16 * 1024,
  headerTimeoutMs: 15_000,
  // Longer than the 60 s after which load balancers drop idle connections, so that they close first.
  keepAliveTimeoutMs: 65_000,
  writeTimeoutMs: 30_000,
};
const SWEEP_MS = 1000;
/**
 * Connections that may wait to be accepted; the kernel allows at most net.core.somaxconn, by default 4096.
 * Beyond that the kernel drops handshakes, which clients repeat after a second. Node's default of 511 would
 * drop most of a burst.
 */
const BACKLOG = 4096;

/**
 * Serves an app on a socket.
 * @throws BackworksError BW_SERVER_LISTEN when the address cannot be used, with the reason
 */
export async function listen(app: Servable, options: ListenOptions): Promise<Listener> {
  const { host, port, log = silentLog, tls = null } = options;
  const connections = { ...DEFAULT_CONNECTIONS, ...options.connections };
  const servers = new Servers(serveWith(app, log), connections, { ...options, log });
  const { front } = servers;
  const most = connections.max ?? connectionsMax();
  if (most !== null) front.maxConnections = most;
  // Clients are checked once a second, so that an ordinary request starts no timer.
  const sweep = setInterval(() => servers.sweep(), SWEEP_MS).unref();
  front.once('close', () => clearInterval(sweep));
  await new Promise<void>((resolve, reject) => {
    front.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
    front.listen(port, host, BACKLOG, resolve);
  });
  const bound = front.address() as AddressInfo;
  const shownHost = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  let closing: Promise<void> | undefined;
  return {
    address: bound.address,
    port: bound.port,
    url: `${tls === null ? 'http' : 'https'}://${shownHost}:${bound.port}`,
    close: ({ delayMs = 0, timeoutMs = 10_000 } = {}) => (closing ??= servers.close(delayMs, timeoutMs)),
  };
}

/** The function that answers every request, whatever it came over. */
function serveWith(app: Servable, log: Log): Serve {
  const handler = getRequestListener((request, bindings) => app.fetch(request, bindings as never), {
    hostname: NO_HOST,
    errorHandler: (error) => problemResponse(asRequestProblem(error), '', randomUUID(), log),
  });
  return (incoming, outgoing) => {
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
}

/** Answers a request that is not read further, and closes its connection. */
function refuse(
  { status, headers, body }: ReturnType<typeof problemOf>,
  id: string,
  incoming: http.IncomingMessage,
  outgoing: http.ServerResponse,
): void {
  const length = Buffer.byteLength(body!);
  Connection.clientOf(incoming).closeAfter(outgoing);
  outgoing.writeHead(status, {
    ...headers,
    'x-request-id': id,
    'content-length': length,
  });
  outgoing.end(incoming.method === 'HEAD' ? undefined : body);
  if (!incoming.complete) discardRest(incoming);
}

/** A response of the listener itself, with the headers that the app wants. */
function changed<T extends { headers: HeaderMap }>(app: Servable, response: T): T {
  app.changeHeaders?.()?.(response.headers);
  return response;
}

/** node-server rejects request targets and Host headers that do not form a URL. */
function asRequestProblem(error: unknown): unknown {
  if (!(error instanceof RequestError)) return error;
  return new BackworksError('BW_REQUEST_INVALID', 'the request target or the Host header is malformed', {
    cause: error,
  });
}
