import { BackworksError } from '../errors.js';
import type { RateLimitConfig } from '../config/types.js';
import { follow } from '../pipeline/attempt.js';
import { rawHeader } from '../pipeline/documents/header-map.js';
import type { PassedRequest } from '../pipeline/documents/incoming-request.js';
import { problem } from '../pipeline/problem.js';
import type { Awaitable, PluginResponse } from '../plugins/plugin.js';
import type { Rule, RuledRequest } from './rule.js';
import { addressKey } from './address-key.js';
import { digest } from './digest.js';
import type { Quota } from './local-counter.js';

/** Counts requests, in this process or elsewhere. */
export interface Counter {
  count(key: string): Awaitable<Quota>;
}

/** Longer keys are replaced by a digest: clients choose them, and they stay in memory. */
const KEY_LENGTH_MAX = 64;

/**
 * Refuses requests of a client that has sent too many. A limit by a value of the context counts behind the hooks, which
 * set the value; every other limit counts before them.
 */
export class RateLimitRule implements Rule {
  readonly admit?: (request: RuledRequest) => Awaitable<PluginResponse | null>;
  readonly pass?: (request: RuledRequest, document: PassedRequest | null) => Awaitable<PluginResponse | null>;
  private readonly policy: string;
  private readonly name: string;

  /** @param owner what the limit belongs to: `server`, or the name of an endpoint */
  constructor(
    owner: string,
    private readonly config: RateLimitConfig,
    private readonly counter: Counter,
  ) {
    const { key, requests, perMs } = config;
    this.name = `"${owner}"`;
    this.policy = `${this.name};q=${requests};w=${Math.ceil(perMs / 1000)}`;
    switch (key.by) {
      case 'all':
        this.admit = (request) => this.check(request, '');
        break;
      case 'address':
        this.admit = (request) => this.check(request, addressOf(request));
        break;
      case 'header':
        this.admit = (request) =>
          this.check(request, keyOf(rawHeader(request.rawHeaders, key.name), request));
        break;
      case 'context':
        this.pass = (request, document) =>
          this.check(request, keyOf(contextValue(key.path, document), request));
    }
  }

  finish(request: RuledRequest, response: PluginResponse): PluginResponse {
    const { quota } = request;
    if (quota === null) return response;
    const seconds = Math.ceil(quota.resetMs / 1000);
    response.headers['ratelimit-policy'] = this.policy;
    response.headers.ratelimit = `${this.name};r=${Math.max(0, quota.remaining)};t=${seconds}`;
    return response;
  }

  private check(request: RuledRequest, key: string): Awaitable<PluginResponse | null> {
    const quota = this.counter.count(key);
    if ('remaining' in quota) return this.decide(request, quota);
    return follow(quota, (counted) => this.decide(request, counted));
  }

  private decide(request: RuledRequest, quota: Quota): PluginResponse | null {
    request.quota = quota;
    if (quota.remaining >= 0) return null;
    const { requests, perMs } = this.config;
    const message = `more than ${requests} requests in ${perMs / 1000} s`;
    const refusal = problem(new BackworksError('BW_REQUEST_RATE_LIMITED', message), request.path, request.id);
    refusal.headers['retry-after'] = String(Math.max(1, Math.ceil(quota.resetMs / 1000)));
    return refusal;
  }
}

function addressOf({ remote }: RuledRequest): string {
  return remote === null ? '' : short(addressKey(remote.address));
}

/** The key for a value; a request without the value is counted by its address. */
function keyOf(value: string | undefined, request: RuledRequest): string {
  // No address begins with "=".
  return value === undefined ? addressOf(request) : `=${short(value)}`;
}

function short(text: string): string {
  return text.length <= KEY_LENGTH_MAX ? text : digest(text);
}

/** The value at a path of the context, if it can be a key. */
function contextValue(path: readonly string[], document: PassedRequest | null): string | undefined {
  if (document === null || document.context === '{}') return undefined;
  let value: unknown = JSON.parse(document.context);
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
