import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';

/**
 * Keeps connections to proxy targets. A target may answer and close before it has read the whole request,
 * such as with a 413. Writing then fails while the answer still waits to be read; Node destroys a socket
 * whose write failed, and with it the answer. So a write that fails because the target closed is reported
 * as done here. What the target did is told by the reading side alone: an answer, or the end of the
 * connection.
 */
class UpstreamAgent extends http.Agent {
  override createConnection(...args: Parameters<http.Agent['createConnection']>): Duplex | null | undefined {
    return readingOn(super.createConnection(...args));
  }
}

class SecureUpstreamAgent extends https.Agent {
  override createConnection(...args: Parameters<https.Agent['createConnection']>): Duplex | null | undefined {
    return readingOn(super.createConnection(...args));
  }
}

/** Agents by the protocol of the target. */
export const UPSTREAM_AGENTS = {
  http: new UpstreamAgent({ keepAlive: true }),
  https: new SecureUpstreamAgent({ keepAlive: true }),
} as const;

type Written = (error?: Error | null) => void;

/** What a write fails with when the target has closed the connection. */
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
