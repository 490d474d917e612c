import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import type tls from 'node:tls';

/**
 * Keeps connections to proxy targets. Bytes that a target sends while nobody has asked close the connection:
 * the next request would take them for its answer, which may be another client's.
 *
 * A target may answer and close before it has read the whole request, for
 * example with a 413. The next write then fails while the answer still waits to be read, and Node would destroy
 * the socket together with the answer. So this agent reports such a write as done. Only the reading side
 * decides the outcome: an answer, or the end of the connection.
 */
class UpstreamAgent extends http.Agent {
  override createConnection(...args: Parameters<http.Agent['createConnection']>): Duplex | null | undefined {
    return readingOn(super.createConnection(...args));
  }

  override keepSocketAlive(socket: Duplex): boolean {
    return (super.keepSocketAlive(socket) as unknown as boolean) && expectNothing(socket);
  }

  override reuseSocket(socket: Duplex, request: http.ClientRequest): void {
    socket.off('data', closeUnasked);
    super.reuseSocket(socket, request);
  }
}

class SecureUpstreamAgent extends https.Agent {
  override createConnection(...args: Parameters<https.Agent['createConnection']>): Duplex | null | undefined {
    return readingOn(super.createConnection(...args));
  }

  override keepSocketAlive(socket: Duplex): boolean {
    return (super.keepSocketAlive(socket) as unknown as boolean) && expectNothing(socket);
  }

  override reuseSocket(socket: Duplex, request: http.ClientRequest): void {
    socket.off('data', closeUnasked);
    super.reuseSocket(socket, request);
  }
}

/** How long a connection that nobody uses is kept, unless the target says less. */
const IDLE_MS = 60_000;
const KEPT = { keepAlive: true, timeout: IDLE_MS } as const;

/** Agents by the protocol of the target. */
export const UPSTREAM_AGENTS = {
  http: new UpstreamAgent(KEPT),
  https: new SecureUpstreamAgent(KEPT),
} as const;

/** An agent for targets that are verified in their own way. It shares no connection with other agents. */
export function secureAgent(options: tls.ConnectionOptions): https.Agent {
  return new SecureUpstreamAgent({ ...KEPT, ...options });
}

/** Watches an idle connection. @returns whether it can be kept: nothing has arrived that nobody asked for */
function expectNothing(socket: Duplex): boolean {
  if (socket.readableLength > 0) return false;
  socket.on('data', closeUnasked).resume();
  return true;
}

function closeUnasked(this: Duplex): void {
  this.destroy();
}

type Written = (error?: Error | null) => void;

/** Errors of a write when the target has closed the connection. */
const CLOSED: ReadonlySet<string | undefined> = new Set(['EPIPE', 'ECONNRESET']);

function readingOn(socket: Duplex | null | undefined): Duplex | null | undefined {
  if (!socket) return socket;
  const tolerant =
    (written: Written): Written =>
    (error) =>
      written(CLOSED.has((error as NodeJS.ErrnoException | null | undefined)?.code) ? null : error);
  const write = socket._write.bind(socket);
  const writeAll = socket._writev?.bind(socket);
  socket._write = (chunk, encoding, written) => write(chunk, encoding, tolerant(written));
  if (writeAll) socket._writev = (chunks, written) => writeAll(chunks, tolerant(written));
  return socket;
}
