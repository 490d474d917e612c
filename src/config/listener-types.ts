/** The parts of a configuration that concern connections; src/config/types.ts exports them with the rest. */

/** The keys of the `server:` block that concern its address and its connections. */
export interface ListenerConfig {
  readonly host: string;
  readonly port: number;
  /** Null: plain HTTP. */
  readonly tls: TlsConfig | null;
  readonly http2: Http2Config;
  readonly proxyProtocol: ProxyProtocolConfig;
  readonly connections: ConnectionsConfig;
  readonly trustProxy: TrustedProxyConfig;
}

/** The `server.tls:` block. */
export interface TlsConfig {
  /** The first one is for clients that ask for none of the other hosts. */
  readonly certificates: readonly [CertificateConfig, ...CertificateConfig[]];
  readonly minVersion: '1.2' | '1.3';
  readonly handshakeTimeoutMs: number;
  /** Null: clients are not asked for a certificate. */
  readonly clientCertificates: ClientCertificatesConfig | null;
}

/** A certificate of the server and its private key. */
export interface CertificateConfig {
  /** Host names that get this certificate. Empty: those in the certificate. */
  readonly hosts: readonly string[];
  readonly certificate: ConfiguredFile;
  readonly key: ConfiguredFile;
}

/** The `server.tls.client_certificates:` block. */
export interface ClientCertificatesConfig {
  readonly ca: ConfiguredFile;
  /** Whether clients without a certificate are refused. */
  readonly mode: 'require' | 'request';
}

/** A file that the configuration names. */
export interface ConfiguredFile {
  /** Absolute path. */
  readonly path: string;
  /** What names the file: the key, such as `server.tls.key`, behind its `file:line:column` if it came from a file. */
  readonly where: string;
}

/** The proxies whose statements about their clients the server believes. */
export interface TrustedProxyConfig {
  /** IP addresses and networks such as `10.0.0.0/8`. Empty: no proxy is believed. */
  readonly addresses: readonly string[];
  /** x-forwarded: x-forwarded-for, -proto and -host. forwarded: the header of RFC 7239. */
  readonly header: 'x-forwarded' | 'forwarded';
}

/** The `server.connections:` block. */
export interface ConnectionsConfig {
  /** Null: a share of the file descriptors that the process may open. */
  readonly max: number | null;
  /** Requests that one connection may carry. 0: no limit. */
  readonly maxRequests: number;
  readonly headerLimitBytes: number;
  readonly headerTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** How long a client may read nothing of what waits for it. */
  readonly writeTimeoutMs: number;
}

/** The `server.http2:` block. */
export interface Http2Config {
  /** always: with TLS and without. */
  readonly accept: 'with-tls' | 'always' | 'never';
  /** Requests of one connection that may be in flight at once. */
  readonly maxStreams: number;
}

/** The `server.proxy_protocol:` block. */
export interface ProxyProtocolConfig {
  /** IP addresses and networks of load balancers whose connections begin with a header. Empty: none do. */
  readonly addresses: readonly string[];
  readonly timeoutMs: number;
}
