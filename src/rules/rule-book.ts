import type { BackworksConfig, EndpointConfig, RuleConfig } from '../config/types.js';
import type { HeaderMap } from '../plugins/plugin.js';
import { CacheRule } from './cache-rule.js';
import { CompressionRule } from './compression-rule.js';
import { EndpointRules } from './endpoint-rules.js';
import { HeaderRule, headerChange } from './header-rule.js';
import { PlainHttpRule } from './plain-http-rule.js';
import type { Rule, RuledRequest } from './rule.js';

/** What the rules of all endpoints are made from. */
export type RuledConfig = Pick<BackworksConfig, 'endpoints'> & {
  readonly server: Pick<BackworksConfig['server'], 'rules'>;
};

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
export function prepareRules({ server: { rules }, endpoints }: RuledConfig): RuleBook | null {
  const server = rulesOf(rules, null);
  const byEndpoint = new Map<EndpointConfig, EndpointRules>();
  for (const endpoint of endpoints) {
    const own = rulesOf(rules, endpoint);
    if (own !== null) byEndpoint.set(endpoint, own);
  }
  if (server === null && byEndpoint.size === 0) return null;
  const response = rules.headers?.response ?? null;
  return {
    server,
    of: ({ endpoint }) => (endpoint === null ? server : (byEndpoint.get(endpoint) ?? null)),
    changeHeaders: response === null ? null : headerChange(response),
  };
}

/**
 * Requests meet the rules in the order of this list, and responses in reverse order.
 * @param endpoint null for requests that no endpoint answers
 */
function rulesOf(server: RuleConfig, endpoint: EndpointConfig | null): EndpointRules | null {
  const own = endpoint?.rules ?? NO_RULES;
  const rules: Rule[] = [];
  const headers = [server.headers, own.headers].filter((config) => config !== null);
  if ((own.plainHttp ?? server.plainHttp) === 'redirect') rules.push(new PlainHttpRule());
  if (headers.length > 0) rules.push(new HeaderRule(headers));
  const compression = own.compression ?? server.compression;
  if (compression !== null && compression.encodings.length > 0)
    rules.push(new CompressionRule(compression, endpoint?.target.kind === 'static'));
  // Behind compression: its tags are those of bodies before they are compressed.
  const cache = own.cache ?? server.cache;
  if (cache !== null) rules.push(new CacheRule(cache));
  return rules.length === 0 ? null : new EndpointRules(rules);
}

const NO_RULES: RuleConfig = { headers: null, plainHttp: null, compression: null, cache: null };
