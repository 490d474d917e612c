import { isIP } from 'node:net';
import type { RemoteAddress } from '../pipeline/documents/incoming-request.js';

/**
 * Reads the header that a load balancer sends in front of a connection: the PROXY protocol of HAProxy, version 1
 * (text) and 2 (binary), https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt.
 */

/** What a header says. */
export interface ProxyHeader {
  /** Length in bytes. The bytes of the client follow. */
  readonly length: number;
  /** The client. Null: the connection is the load balancer's own, or its client has no IP address. */
  readonly client: RemoteAddress | null;
}

/** The longest line of version 1, with its line break. */
const LINE_MAX = 107;
const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const FIXED_LENGTH = 16;
/**
 * Longest content of a header of version 2. The protocol allows 64 KiB for what the balancer adds behind the
 * addresses, of which usual ones send less than 1 KiB.
 */
const CONTENT_MAX = 4096;

/** Reads a header. @returns 'more' when it is not complete yet, 'invalid' when these bytes cannot begin one */
export function readProxyHeader(bytes: Buffer): ProxyHeader | 'more' | 'invalid' {
  const first = bytes[0];
  if (first === undefined) return 'more';
  return first === SIGNATURE[0] ? readBinary(bytes) : readLine(bytes);
}

const LINE = /^PROXY (?:UNKNOWN(?: [^\r]*)?|TCP([46]) (\S+) (\S+) (\d{1,5}) (\d{1,5}))\r\n$/;

function readLine(bytes: Buffer): ProxyHeader | 'more' | 'invalid' {
  const text = bytes.toString('latin1', 0, LINE_MAX);
  const end = text.indexOf('\n');
  if (end === -1) {
    return text.length < LINE_MAX && 'PROXY '.startsWith(text.slice(0, 6)) ? 'more' : 'invalid';
  }
  const length = end + 1;
  const match = LINE.exec(text.slice(0, length));
  if (match === null) return 'invalid';
  const [, family, source = '', target = '', ...ports] = match;
  if (family === undefined) return { length, client: null };
  if (isIP(source) !== Number(family) || isIP(target) !== Number(family)) return 'invalid';
  if (!ports.every(isPort)) return 'invalid';
  return { length, client: { address: source, port: Number(ports[0]) } };
}

/** A port is written without leading zeros. */
function isPort(text: string | undefined): boolean {
  return text !== undefined && Number(text) <= 65535 && String(Number(text)) === text;
}

const LOCAL = 0x20;
const PROXY = 0x21;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;

function readBinary(bytes: Buffer): ProxyHeader | 'more' | 'invalid' {
  const known = Math.min(bytes.length, SIGNATURE.length);
  if (bytes.compare(SIGNATURE, 0, known, 0, known) !== 0) return 'invalid';
  if (bytes.length < FIXED_LENGTH) return 'more';
  const command = bytes[12]!;
  const family = bytes[13]!;
  const content = bytes.readUInt16BE(14);
  if ((command !== LOCAL && command !== PROXY) || content > CONTENT_MAX) return 'invalid';
  const length = FIXED_LENGTH + content;
  if (bytes.length < length) return 'more';
  if (command === LOCAL) return { length, client: null };
  const addresses = bytes.subarray(FIXED_LENGTH, length);
  if (family === TCP_OVER_IPV4) {
    if (content < 12) return 'invalid';
    return {
      length,
      client: { address: [...addresses.subarray(0, 4)].join('.'), port: addresses.readUInt16BE(8) },
    };
  }
  if (family === TCP_OVER_IPV6) {
    if (content < 36) return 'invalid';
    return { length, client: { address: ipv6(addresses.subarray(0, 16)), port: addresses.readUInt16BE(32) } };
  }
  // Unix sockets, datagrams and unspecified families: the protocol lets a server keep to the connection it has.
  return { length, client: null };
}

/** In the form of RFC 5952, as the system writes addresses. */
function ipv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_value, index) => bytes.readUInt16BE(index * 2).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
