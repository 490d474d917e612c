/** The parts of a configuration that concern connections; src/config/types.ts exports them with the rest. */

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
