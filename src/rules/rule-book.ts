import type { BackworksConfig, EndpointConfig, EndpointRuleConfig, RuleConfig } from '../config/types.js';
import type { BodyLimits } from '../pipeline/documents/incoming-request.js';
import type { HeaderMap } from '../plugins/plugin.js';
import { CacheRule } from './cache-rule.js';
import { CompressionRule } from './compression-rule.js';
import { EndpointRules } from './endpoint-rules.js';
import { CorsRule, wantedMethod } from './cors-rule.js';
import type { Counters } from './counters.js';
import { RateLimitRule } from './rate-limit-rule.js';
import { HeaderRule, headerChange } from './header-rule.js';
import { PlainHttpRule } from './plain-http-rule.js';
import type { Rule, RuledRequest } from './rule.js';
import { ValidationRule } from './validation-rule.js';

/** What the rules of all endpoints are made from. */
export type RuledConfig = Pick<BackworksConfig, 'endpoints'> & {
  readonly server: Pick<BackworksConfig['server'], 'rules' | 'bodyLimitBytes' | 'bodyTimeoutMs'>;
};

/** What rules share with the rest of the server. */
interface RuleParts {
  readonly limits: BodyLimits;
  readonly counters: Counters;
}

/** The rules of a configuration, prepared for requests. */
export interface RuleBook {
  /** The rules of responses to requests that no endpoint answers: 404, 405, malformed requests. */
  readonly server: EndpointRules | null;
  /** The rules of a request that is routed; null when there are none. */
  of(request: RuledRequest): EndpointRules | null;
  /** Changes the headers of a response to a request that was refused before it was read; null: nothing to change. */
  readonly changeHeaders: ((headers: HeaderMap) => void) | null;
}

/** @returns null when the configuration has no rules */
export function prepareRules(
  { server: { rules, ...limits }, endpoints }: RuledConfig,
  counters: Counters,
): RuleBook | null {
  const parts = { limits, counters };
  const server = rulesOf(rules, null, parts);
  const byEndpoint = new Map<EndpointConfig, EndpointRules>();
  for (const endpoint of endpoints) {
    const own = rulesOf(rules, endpoint, parts);
    if (own !== null) byEndpoint.set(endpoint, own);
  }
  counters.retain(new Set(['server', ...endpoints.map(({ name }) => endpointOwner(name))]));
  if (server === null && byEndpoint.size === 0) return null;
  const response = rules.headers?.response ?? null;
  return {
    server,
    of: (request) => {
      const endpoint = request.endpoint ?? askedAbout(request);
      return endpoint === null ? server : (byEndpoint.get(endpoint) ?? null);
    },
    changeHeaders: response === null ? null : headerChange(response),
  };
}

/** The endpoint that a preflight request asks about, if no endpoint of the path accepts OPTIONS. */
function askedAbout({ method, match, rawHeaders }: RuledRequest): EndpointConfig | null {
  if (method !== 'OPTIONS' || match.others === null) return null;
  return match.others.endpointOf(wantedMethod(rawHeaders) ?? '');
}

/**
 * Requests meet the rules in the order of this list, and responses in reverse order.
 * @param endpoint null for requests that no endpoint answers
 */
function rulesOf(
  server: RuleConfig,
  endpoint: EndpointConfig | null,
  { limits, counters }: RuleParts,
): EndpointRules | null {
  const own = endpoint?.rules ?? NO_RULES;
  const rules: Rule[] = [];
  const headers = [server.headers, own.headers].filter((config) => config !== null);
  if ((own.plainHttp ?? server.plainHttp) === 'redirect') rules.push(new PlainHttpRule());
  if (headers.length > 0) rules.push(new HeaderRule(headers));
  const cors = own.cors ?? server.cors;
  if (cors?.enabled === true) rules.push(new CorsRule(cors, endpoint));
  const limit = rateLimit(server, endpoint, counters);
  if (limit !== null) rules.push(limit);
  const compression = own.compression ?? server.compression;
  if (compression !== null && compression.encodings.length > 0)
    rules.push(new CompressionRule(compression, endpoint?.target.kind === 'static'));
  // Behind compression: its tags are those of bodies before they are compressed.
  const cache = own.cache ?? server.cache;
  if (cache !== null) rules.push(new CacheRule(cache));
  if (own.validation !== null) rules.push(new ValidationRule(own.validation, limits));
  const { timeoutMs } = own;
  return rules.length === 0 && timeoutMs === null ? null : new EndpointRules(rules, timeoutMs);
}

/** The limit of the endpoint, or else the limit that it shares with the rest of the server. */
function rateLimit(server: RuleConfig, endpoint: EndpointConfig | null, counters: Counters): Rule | null {
  const own = endpoint?.rules?.rateLimit ?? null;
  const limit = own ?? server.rateLimit;
  if (limit === null || limit.requests === 0) return null;
  const owner = own === null ? 'server' : endpointOwner(endpoint!.name);
  return new RateLimitRule(owner, limit, counters.of(owner, limit));
}

const endpointOwner = (name: string): string => `endpoints.${name}`;

const NO_RULES: EndpointRuleConfig = {
  headers: null,
  plainHttp: null,
  validation: null,
  compression: null,
  cache: null,
  cors: null,
  rateLimit: null,
  timeoutMs: null,
  bodyTimeoutMs: null,
};
