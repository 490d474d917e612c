import type { ProxyConfig } from '../../dist/config/proxy-types.js';
import type { EndpointTarget } from '../../dist/config/types.js';

/** Changes to the default configuration of a proxy. Blocks are merged. */
export type ProxyWish = Partial<
  Omit<ProxyConfig, 'tls' | 'retry' | 'circuitBreaker'> & {
    tls: Partial<ProxyConfig['tls']>;
    retry: Partial<ProxyConfig['retry']>;
    circuitBreaker: Partial<ProxyConfig['circuitBreaker']>;
  }
>;

/** The target of a proxy endpoint, with the defaults of the file. A busy machine gets more time than they allow. */
export function proxyTarget(urls: string | readonly string[], wish: ProxyWish = {}): EndpointTarget {
  return {
    kind: 'proxy',
    targets: [urls].flat().map((url) => ({ url, weight: 1 })),
    balance: 'round_robin',
    stripPrefix: '',
    addPrefix: '',
    host: 'target',
    rewrite: ['location', 'cookies'],
    timeoutMs: 30_000,
    connectTimeoutMs: 30_000,
    health: null,
    ...wish,
    tls: { ca: null, verify: true, serverName: null, certificate: null, key: null, ...wish.tls },
    retry: { attempts: 3, budgetPercent: 20, on: ['connect', 'reset'], statuses: [], ...wish.retry },
    circuitBreaker: { failures: 5, resetAfterMs: 10_000, ...wish.circuitBreaker },
  };
}
