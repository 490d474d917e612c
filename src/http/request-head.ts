import type { IncomingMessage } from 'node:http';
import { BackworksError } from '../errors.js';
import { http2Stream } from './http2-stream.js';
import { endToEnd } from '../pipeline/documents/end-to-end.js';

/** The parts of a request's header lines that the server itself reads. */
export interface RequestHead {
  /** The first of the Host lines; undefined when there is none. */
  readonly host: string | undefined;
  readonly hostLines: number;
  readonly requestId: string | undefined;
  readonly contentLength: string | undefined;
  /** Every Transfer-Encoding line, joined; undefined when there is none. */
  readonly transferEncoding: string | undefined;
  /** Protocols that the client asks to switch to; undefined when there are none. */
  readonly upgrade: string | undefined;
  /** The header lines for plugins and proxy targets, without those that concern only the client's connection. */
  readonly endToEnd: readonly string[];
}

/** Reads the header lines in one pass. @param raw Node's flat list [name, value, name, value, …] */
export function readHead(raw: readonly string[]): RequestHead {
  let host: string | undefined;
  let hostLines = 0;
  let requestId: string | undefined;
  let contentLength: string | undefined;
  let transferEncoding: string | undefined;
  let connection: string | undefined;
  let upgrade: string | undefined;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!;
    const value = raw[i + 1]!;
    switch (name.length) {
      case 4:
        if (name.toLowerCase() !== 'host') break;
        if (hostLines === 0) host = value;
        hostLines += 1;
        break;
      case 7:
        if (name.toLowerCase() === 'upgrade') upgrade = joined(upgrade, value);
        break;
      case 10:
        if (name.toLowerCase() === 'connection') connection = joined(connection, value);
        break;
      case 12:
        if (name.toLowerCase() === 'x-request-id') requestId ??= value;
        break;
      case 14:
        if (name.toLowerCase() === 'content-length') contentLength ??= value;
        break;
      case 17:
        if (name.toLowerCase() === 'transfer-encoding') transferEncoding = joined(transferEncoding, value);
        break;
    }
  }
  if (upgrade !== undefined && !names(connection, 'upgrade')) upgrade = undefined;
  return { host, hostLines, requestId, contentLength, transferEncoding, upgrade, endToEnd: endToEnd(raw) };
}

function joined(earlier: string | undefined, value: string): string {
  return earlier === undefined ? value : `${earlier}, ${value}`;
}

/** The members of a comma-separated list, in lower case. */
function members(list: string): string[] {
  return list
    .split(',')
    .map((member) => member.trim().toLowerCase())
    .filter((member) => member !== '');
}

function names(list: string | undefined, member: string): boolean {
  return list !== undefined && members(list).includes(member);
}

/** Whether a body follows the head. An HTTP/2 request says so beside its headers. */
export function hasBody(
  incoming: IncomingMessage,
  { contentLength, transferEncoding }: RequestHead,
): boolean {
  const stream = http2Stream(incoming);
  if (stream !== null) return !stream.endAfterHeaders;
  return contentLength === undefined ? transferEncoding !== undefined : contentLength !== '0';
}

/**
 * Upgrades that a client offers with an ordinary request. It expects an ordinary answer when the server does
 * not switch (RFC 9110 section 7.8).
 */
const OPTIONAL_UPGRADE = /^(?:h2c|http\/|tls\/)/;

/** The protocol the client requires instead of an ordinary answer; undefined when there is none. */
export function wantedProtocol({ upgrade }: RequestHead): string | undefined {
  if (upgrade === undefined) return undefined;
  return members(upgrade).find((protocol) => !OPTIONAL_UPGRADE.test(protocol));
}

/**
 * Checks what Node's parser leaves to the server (RFC 9112 sections 3.2 and 6.1). Rewrites a target in
 * absolute form to the ordinary form; its authority becomes the Host header.
 * @throws BackworksError BW_REQUEST_INVALID, BW_REQUEST_NOT_IMPLEMENTED
 */
export function acceptHead(incoming: IncomingMessage): RequestHead {
  if (incoming.httpVersionMajor === 2) replacePseudoHeaders(incoming.rawHeaders);
  const head = readHead(incoming.rawHeaders);
  const { hostLines, transferEncoding } = head;
  if (hostLines > 1) throw invalid('there is more than one Host header');
  if (hostLines === 0 && incoming.httpVersion !== '1.0') throw invalid('the Host header is missing');
  if (transferEncoding !== undefined) checkTransferCodings(transferEncoding);
  const { url = '' } = incoming;
  if (url.startsWith('/') || url === '*') return head;
  return readHead(toOriginForm(incoming, url));
}

/**
 * Gives the header lines of an HTTP/2 request, in place, the form that they have in HTTP/1: the authority becomes the
 * Host header, and cookies, which a client may send one by one, are joined (RFC 9113 sections 8.2.3 and 8.3.1).
 */
function replacePseudoHeaders(lines: string[]): void {
  const kept: string[] = [];
  let authority: string | undefined;
  let cookieAt = -1;
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const name = lines[i]!;
    const value = lines[i + 1]!;
    if (name === ':authority') authority = value;
    else if (name === 'cookie' && cookieAt !== -1) kept[cookieAt] += `; ${value}`;
    else if (!name.startsWith(':')) {
      if (name === 'cookie') cookieAt = kept.length + 1;
      kept.push(name, value);
    }
  }
  const host = kept.findIndex((name, index) => index % 2 === 0 && name === 'host');
  if (authority !== undefined) {
    if (host === -1) kept.unshift('host', authority);
    else if (kept[host + 1]!.toLowerCase() !== authority.toLowerCase())
      throw invalid('the Host header differs from :authority');
  }
  lines.splice(0, lines.length, ...kept);
}

function checkTransferCodings(list: string): void {
  const codings = members(list);
  const unknown = codings.find((coding) => coding !== 'chunked');
  if (unknown !== undefined) {
    const message = `the transfer coding ${JSON.stringify(unknown)} is not supported, only chunked is`;
    throw new BackworksError('BW_REQUEST_NOT_IMPLEMENTED', message);
  }
  if (codings.length !== 1) throw invalid('the Transfer-Encoding header does not name chunked once');
}

const ABSOLUTE_FORM = /^https?:\/\/([^/?#@]+)(\/.*|\?.*)?$/i;

/** Rewrites a request whose target is a URL. @returns its header lines, with the URL's authority as Host */
function toOriginForm(incoming: IncomingMessage, url: string): readonly string[] {
  const [, authority, rest = ''] = ABSOLUTE_FORM.exec(url) ?? [];
  if (authority === undefined) throw invalid('the request target is neither a path nor an http URL');
  const lines = incoming.rawHeaders;
  const place = lines.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
  if (place === -1) lines.push('Host', authority);
  else lines[place + 1] = authority;
  incoming.headers.host = authority;
  incoming.url = rest.startsWith('/') ? rest : `/${rest}`;
  return lines;
}

function invalid(message: string): BackworksError {
  return new BackworksError('BW_REQUEST_INVALID', message);
}
