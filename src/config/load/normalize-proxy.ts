import { resolve } from 'node:path';
import type { ProxyConfig } from '../proxy-types.js';
import type { RawEndpoint } from '../schema/raw.js';
import { parseDuration, parsePercentage } from '../source/units.js';

type RawProxy = NonNullable<RawEndpoint['proxy']>;

/** @param directory the directory that paths of files are relative to */
export function normalizeProxy(raw: RawProxy, directory: string): ProxyConfig {
  const { retry, circuit_breaker: breaker, health } = raw;
  return {
    targets: proxyTargets(raw).map((target) =>
      typeof target === 'string' ? { url: target, weight: 1 } : { url: target.url, weight: target.weight },
    ),
    balance: raw.balance,
    stripPrefix: raw.strip_prefix ?? '',
    addPrefix: raw.add_prefix ?? '',
    host: raw.host,
    rewrite: raw.rewrite,
    timeoutMs: parseDuration(raw.timeout),
    connectTimeoutMs: parseDuration(raw.connect_timeout),
    tls: normalizeTls(raw.tls, directory),
    retry: {
      attempts: retry.attempts,
      budgetPercent: parsePercentage(retry.budget),
      on: retry.on,
      statuses: retry.statuses,
    },
    circuitBreaker: {
      failures: breaker.failures,
      resetAfterMs: parseDuration(breaker.reset_after),
    },
    health: health === undefined ? null : normalizeHealth(health),
  };
}

/** Exactly one of the two keys is given. */
function proxyTargets({ target, targets = [] }: RawProxy): NonNullable<RawProxy['targets']> {
  return target === undefined ? targets : [target];
}

function normalizeTls(raw: RawProxy['tls'], directory: string): ProxyConfig['tls'] {
  const file = (path: string | undefined): string | null =>
    path === undefined ? null : resolve(directory, path);
  return {
    ca: file(raw.ca),
    verify: raw.verify,
    serverName: raw.server_name ?? null,
    certificate: file(raw.certificate),
    key: file(raw.key),
  };
}

function normalizeHealth(raw: NonNullable<RawProxy['health']>): NonNullable<ProxyConfig['health']> {
  return {
    path: raw.path,
    intervalMs: parseDuration(raw.interval),
    timeoutMs: parseDuration(raw.timeout),
    healthyAfter: raw.healthy_after,
    unhealthyAfter: raw.unhealthy_after,
    statuses: raw.statuses,
  };
}
