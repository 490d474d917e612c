import { OutgoingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { HeaderMap } from '../plugins/plugin.js';

/**
 * Writes the head of a whole response as one string, together with the body in one write.
 *
 * Node's writeHead() checks every name and value with regular expressions, although they were checked where
 * they entered the program (response-check.ts, or Node's own parser for headers of an upstream). A response
 * for which Node must decide about framing or the connection still goes through writeHead().
 */

/** Internal members of Node's ServerResponse, from Node 20 on. */
interface NodeResponse extends ServerResponse {
  /** The head as it is sent; null until it is known. */
  _header: string | null;
  readonly _keepAliveTimeout: number;
  /** Sends the head with the first part of the body. */
  _send(data: string, encoding: 'latin1'): boolean;
}

const hasSend = '_send' in OutgoingMessage.prototype;

/** Whether Node has nothing to decide about a response: it is a head and a body of known length. */
export function isPlainResponse(outgoing: ServerResponse): boolean {
  return hasSend && outgoing.shouldKeepAlive && !outgoing.headersSent && !outgoing.hasHeader('connection');
}

/**
 * Sends and ends a plain response.
 * @param headers checked; names in lower case
 * @param body a string with one byte per character
 */
export function sendPlainResponse(
  outgoing: ServerResponse,
  status: number,
  headers: Readonly<HeaderMap>,
  requestId: string,
  body: string,
): void {
  const response = outgoing as NodeResponse;
  let head = statusLine(status);
  for (const name in headers) {
    if (name === 'x-request-id' || name === 'content-length') continue;
    const value = headers[name]!;
    if (typeof value === 'string') head += `${name}: ${value}\r\n`;
    else for (const item of value) head += `${name}: ${item}\r\n`;
  }
  response.statusCode = status;
  response._header =
    `${head}x-request-id: ${requestId}\r\ncontent-length: ${body.length}\r\n` +
    `${headers['date'] === undefined ? dateLine() : ''}${keepAliveLines(response._keepAliveTimeout)}\r\n`;
  response._send(body, 'latin1');
  response.end();
}

/** The value of a header that was sent; null when there is none, or nothing was sent. */
export function sentHeader(outgoing: ServerResponse, name: string): string | null {
  // A response over HTTP/2 has no text.
  if (!('_header' in outgoing)) {
    const value = outgoing.getHeader(name);
    return value === undefined ? null : String(value);
  }
  const head = (outgoing as NodeResponse)._header ?? '';
  return new RegExp(`^${name}: *(.*?)\\r?$`, 'im').exec(head)?.[1] ?? null;
}

const statusLines = new Map<number, string>();

function statusLine(status: number): string {
  let line = statusLines.get(status);
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`;
    statusLines.set(status, line);
  }
  return line;
}

let dateSecond = -1;
let date = '';

function dateLine(): string {
  const now = Date.now();
  const second = Math.floor(now / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    date = `Date: ${new Date(now).toUTCString()}\r\n`;
  }
  return date;
}

let keepAliveMs = -1;
let keepAlive = '';

function keepAliveLines(timeoutMs: number): string {
  if (timeoutMs !== keepAliveMs) {
    keepAliveMs = timeoutMs;
    const timeout = timeoutMs > 0 ? `Keep-Alive: timeout=${Math.floor(timeoutMs / 1000)}\r\n` : '';
    keepAlive = `Connection: keep-alive\r\n${timeout}`;
  }
  return keepAlive;
}
