/** The `proxy:` block of an endpoint. */
export interface ProxyConfig {
  /** At least one. */
  readonly targets: readonly ProxyTarget[];
  readonly balance: 'round_robin' | 'least_connections';
  /** Beginning of the path that targets do not get. Empty: they get the whole path. */
  readonly stripPrefix: string;
  /** Put between the path of the target's URL and the path of the request. */
  readonly addPrefix: string;
  /** `target`, `preserve`, or the name that targets get as Host. */
  readonly host: string;
  /** What is changed in answers so that it is true for the client. */
  readonly rewrite: readonly ('location' | 'cookies')[];
  /** How long a target may be silent, before and during its answer. */
  readonly timeoutMs: number;
  /** How long connecting may take, TLS handshake included. */
  readonly connectTimeoutMs: number;
  readonly tls: ProxyTlsConfig;
  readonly retry: ProxyRetryConfig;
  readonly circuitBreaker: TargetBreakerConfig;
  /** Null: targets are not checked. */
  readonly health: HealthCheckConfig | null;
}

/** A server that answers requests of a proxy endpoint. */
export interface ProxyTarget {
  /** An http or https URL without a user name, query or fragment. */
  readonly url: string;
  readonly weight: number;
}

/** How https targets are verified. Null: the system's authorities, the host of the URL, no client certificate. */
export interface ProxyTlsConfig {
  /** Absolute path of a PEM file. */
  readonly ca: string | null;
  readonly verify: boolean;
  readonly serverName: string | null;
  /** Absolute path of a PEM file. */
  readonly certificate: string | null;
  /** Absolute path of a PEM file. */
  readonly key: string | null;
}

/** A failure after which a request can be repeated. */
export type ProxyRetryCondition = 'connect' | 'reset' | 'timeout';

/** When failed requests are repeated at another target. */
export interface ProxyRetryConfig {
  /** Counts the first one. */
  readonly attempts: number;
  /** The share of the requests that may be repeated. 0: none. */
  readonly budgetPercent: number;
  readonly on: readonly ProxyRetryCondition[];
  readonly statuses: readonly number[];
}

/** When failed requests take a target out. */
export interface TargetBreakerConfig {
  /** In a row. */
  readonly failures: number;
  readonly resetAfterMs: number;
}

/** Checks of the targets that the server makes itself. */
export interface HealthCheckConfig {
  readonly path: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly healthyAfter: number;
  readonly unhealthyAfter: number;
  /** Empty: 200 to 399. */
  readonly statuses: readonly number[];
}
