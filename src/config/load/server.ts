import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { RawConfig } from '../schema/raw.js';
import { unbracketed } from '../source/host.js';
import { displayPath, type Pointer } from '../source/pointer.js';
import { parseDuration, parseSize } from '../source/units.js';
import { normalizeRules } from './rules.js';
import type {
  CertificateConfig,
  ConfiguredFile,
  ConnectionsConfig,
  ServerConfig,
  TlsConfig,
} from '../types.js';

type RawServer = RawConfig['server'];
type RawTls = NonNullable<RawServer['tls']>;

interface Origin {
  /** The directory that relative paths start at. */
  readonly directory: string;
  /** The location of the value at a pointer, as `file:line:column`, or null without a file. */
  where(pointer: Pointer): string | null;
}

export function normalizeServer(server: RawServer, origin: Origin): ServerConfig {
  return {
    host: unbracketed(server.host),
    port: server.port,
    tls: server.tls === undefined ? null : normalizeTls(server.tls, '/server/tls', origin),
    http2: { accept: server.http2.accept, maxStreams: server.http2.max_streams },
    proxyProtocol: {
      addresses: server.proxy_protocol.addresses,
      timeoutMs: parseDuration(server.proxy_protocol.timeout),
    },
    connections: normalizeConnections(server.connections),
    bodyLimitBytes: parseSize(server.body_limit),
    bodyTimeoutMs: parseDuration(server.body_timeout),
    unmatched: server.unmatched,
    trustProxy: { addresses: server.trust_proxy.addresses, header: server.trust_proxy.header },
    rules: normalizeRules(server),
    workers: typeof server.workers === 'number' ? server.workers : availableParallelism(),
    pluginUsers: { first: server.plugin_users.first, count: server.plugin_users.count },
    shutdown: {
      delayMs: parseDuration(server.shutdown.delay),
      timeoutMs: parseDuration(server.shutdown.timeout),
    },
    reload: { watch: server.reload.watch, intervalMs: parseDuration(server.reload.interval) },
  };
}

function normalizeConnections(connections: RawServer['connections']): ConnectionsConfig {
  return {
    max: typeof connections.max === 'number' ? connections.max : null,
    maxRequests: connections.max_requests,
    headerLimitBytes: parseSize(connections.header_limit),
    headerTimeoutMs: parseDuration(connections.header_timeout),
    keepAliveTimeoutMs: parseDuration(connections.keep_alive_timeout),
    writeTimeoutMs: parseDuration(connections.write_timeout),
  };
}

function normalizeTls(tls: RawTls, at: Pointer, origin: Origin): TlsConfig {
  const file = (path: string, pointer: Pointer): ConfiguredFile => {
    const place = origin.where(pointer);
    const where = `${place === null ? '' : `${place}: `}${displayPath(pointer)}`;
    return { path: resolve(origin.directory, path), where };
  };
  const pair = (
    { certificate, key }: { readonly certificate: string; readonly key: string },
    hosts: readonly string[],
    pointer: Pointer,
  ): CertificateConfig => ({
    hosts: hosts.map((host) => host.toLowerCase()),
    certificate: file(certificate, `${pointer}/certificate`),
    key: file(key, `${pointer}/key`),
  });
  const clients = tls.client_certificates;
  return {
    certificates: [
      pair(tls, [], at),
      ...tls.certificates.map((entry, index) => pair(entry, entry.hosts, `${at}/certificates/${index}`)),
    ],
    minVersion: tls.min_version,
    handshakeTimeoutMs: parseDuration(tls.handshake_timeout),
    clientCertificates:
      clients === undefined
        ? null
        : { ca: file(clients.ca, `${at}/client_certificates/ca`), mode: clients.mode },
  };
}
