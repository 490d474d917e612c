/** What the `server:` block of a configuration becomes; src/config/types.ts exports it with the rest. */

/** The `server:` block. */
export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  /** Null: plain HTTP. */
  readonly tls: TlsConfig | null;
  /** Longest request body, for endpoints without a limit of their own. */
  readonly bodyLimitBytes: number;
  /** Longest pause between two reads of a request body. */
  readonly bodyTimeoutMs: number;
  /** What may answer requests that no endpoint matches. */
  readonly unmatched: UnmatchedRequests;
  readonly trustProxy: TrustedProxyConfig;
  /** Number of server processes. */
  readonly workers: number;
  readonly pluginUsers: UserRange;
  readonly shutdown: { readonly delayMs: number; readonly timeoutMs: number };
  readonly reload: {
    /** The server reloads the file when the file changes. */
    readonly watch: boolean;
    readonly intervalMs: number;
  };
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

/** plugins-without-endpoint: plugins that no endpoint names. plugins: every plugin. not-found: no plugin. */
export type UnmatchedRequests = 'plugins-without-endpoint' | 'plugins' | 'not-found';

/** A range of user ids. When the server runs as root, each plugin gets one of them. `count` 0: no range. */
export interface UserRange {
  readonly first: number;
  readonly count: number;
}
