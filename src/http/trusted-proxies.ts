import { isIP } from 'node:net';
import type { TrustedProxyConfig } from '../config/types.js';
import { joinedRawHeader } from '../pipeline/documents/header-map.js';
import type { RemoteAddress, StatedOrigin } from '../pipeline/documents/incoming-request.js';
import { AddressSet } from './address-set.js';
import { type ForwardedElement, parseForwarded } from './forwarded-header.js';

/** What trusted proxies state about a client. */
export type ClientOrigin = RemoteAddress & StatedOrigin;

/** One hop, as the proxy after it describes it. */
type Hop = StatedOrigin & { readonly node: string };

const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;
/** An address as RFC 7239 section 6 and usual proxies write it: with or without brackets and port. */
const NODE = /^(?:\[([\da-f:.]+)\]|([\d.]+)|([\da-f:.]+:[\da-f:.]+))(?::(\d{1,5}))?$/i;

/** The proxies whose statements about their clients count. */
export class TrustedProxies {
  private readonly addresses: AddressSet;

  constructor(private readonly config: TrustedProxyConfig) {
    this.addresses = new AddressSet(config.addresses);
  }

  /**
   * The client of a request. Every proxy appends what it saw, and only the statements of trusted ones count: the client
   * is the first address, read from the last, that is not a trusted proxy.
   * @param peer the address at the other end of the connection
   * @returns null when the peer is not trusted or says nothing
   */
  origin(peer: string, rawHeaders: readonly string[]): ClientOrigin | null {
    if (!this.addresses.has(peer)) return null;
    let client: ClientOrigin | null = null;
    for (const { node, scheme, host } of this.hops(rawHeaders).reverse()) {
      const address = readNode(node);
      if (address === null) break;
      client = { ...address, scheme, host };
      if (!this.addresses.has(address.address)) break;
    }
    return client;
  }

  private hops(rawHeaders: readonly string[]): Hop[] {
    if (this.config.header === 'forwarded') {
      const header = joinedRawHeader(rawHeaders, 'forwarded');
      return (header === undefined ? [] : (parseForwarded(header) ?? [])).map(hopOf);
    }
    const list = (name: string): string[] =>
      (joinedRawHeader(rawHeaders, name) ?? '').split(',').map((item) => item.trim());
    const nodes = list('x-forwarded-for');
    const schemes = list('x-forwarded-proto');
    const hosts = list('x-forwarded-host');
    return nodes.map((node, index) => ({
      node,
      scheme: readScheme(alongside(schemes, nodes, index)),
      host: readHost(alongside(hosts, nodes, index)),
    }));
  }
}

/**
 * The item of a list that belongs to an address, counted from the end: the nearest proxy appended both. Proxies that
 * replace their header instead leave a shorter list, whose first item comes from the first of them.
 */
function alongside(list: readonly string[], nodes: readonly string[], index: number): string | undefined {
  return list[Math.max(0, list.length - nodes.length + index)];
}

function hopOf({ for: node = '', proto, host }: ForwardedElement): Hop {
  return { node, scheme: readScheme(proto), host: readHost(host) };
}

function readNode(node: string): RemoteAddress | null {
  const [, bracketed, ipv4, ipv6, port = '0'] = NODE.exec(node) ?? [];
  const address = bracketed ?? ipv4 ?? ipv6 ?? '';
  return isIP(address) === 0 || Number(port) > 65535 ? null : { address, port: Number(port) };
}

function readScheme(text: string | undefined): 'http' | 'https' | null {
  const scheme = text?.toLowerCase();
  return scheme === 'http' || scheme === 'https' ? scheme : null;
}

function readHost(text: string | undefined): string | null {
  return text !== undefined && HOST.test(text) ? text : null;
}
