import type {
  CompressionConfig,
  CorsConfig,
  EndpointRuleConfig,
  HeaderChanges,
  HeaderRuleConfig,
  PlainHttp,
  RateLimitConfig,
  RateLimitKey,
  RedisConfig,
  RuleConfig,
  ValidationConfig,
} from '../types.js';
import type {
  RawCacheRule,
  RawCompressionRule,
  RawConfig,
  RawCors,
  RawDuration,
  RawEndpoint,
  RawHeaderRules,
  RawRateLimit,
} from '../schema/raw.js';
import { parseDuration, parseSize } from '../source/units.js';

/** The keys of rules, which the server and an endpoint have in common. */
interface RawRules {
  readonly headers?: RawHeaderRules;
  readonly plain_http?: PlainHttp;
  readonly compression?: RawCompressionRule;
  readonly cache?: RawCacheRule;
  readonly validate?: RawEndpoint['validate'];
  readonly cors?: RawCors;
  readonly rate_limit?: RawRateLimit;
}

interface RawEndpointRules extends RawRules {
  readonly timeout?: RawDuration;
  readonly body_timeout?: RawDuration;
}

export function normalizeRules({
  headers,
  plain_http: plainHttp,
  compression,
  cache,
  cors,
  rate_limit: limit,
  validate,
}: RawRules): RuleConfig {
  return {
    headers: headers === undefined ? null : normalizeHeaders(headers),
    plainHttp: plainHttp ?? null,
    compression: compression === undefined ? null : normalizeCompression(compression),
    cache: cache === undefined ? null : { control: cache.control ?? null, etag: cache.etag },
    cors: cors === undefined ? null : normalizeCors(cors),
    rateLimit: limit === undefined ? null : normalizeRateLimit(limit),
    validation: validate === undefined ? null : normalizeValidation(validate),
  };
}

/** The member of an endpoint, if the endpoint has rules. */
export function endpointRules(raw: RawEndpointRules): { readonly rules: EndpointRuleConfig } | undefined {
  const { timeout, body_timeout: bodyTimeout } = raw;
  const rules: EndpointRuleConfig = {
    ...normalizeRules(raw),
    timeoutMs: timeout === undefined ? null : parseDuration(timeout),
    bodyTimeoutMs: bodyTimeout === undefined ? null : parseDuration(bodyTimeout),
  };
  return Object.values(rules).every((rule) => rule === null) ? undefined : { rules };
}

export function normalizeRedis(raw: RawConfig['server']['redis']): RedisConfig | null {
  if (raw === undefined) return null;
  return { url: raw.url, prefix: raw.prefix, timeoutMs: parseDuration(raw.timeout) };
}

function normalizeHeaders({ request, response }: RawHeaderRules): HeaderRuleConfig {
  return { request: changes(request), response: changes(response) };
}

function changes(raw: RawHeaderRules['request']): HeaderChanges | null {
  return raw === undefined ? null : { remove: raw.remove, set: raw.set, add: raw.add };
}

function normalizeCors(raw: RawCors): CorsConfig {
  return {
    enabled: raw.enabled,
    origins: raw.origins,
    methods: raw.methods ?? null,
    headers: raw.headers ?? null,
    exposeHeaders: raw.expose_headers,
    credentials: raw.credentials,
    maxAgeMs: parseDuration(raw.max_age),
    privateNetwork: raw.private_network,
  };
}

function normalizeRateLimit({ requests, per, key, store }: RawRateLimit): RateLimitConfig {
  return { requests, perMs: parseDuration(per), key: rateLimitKey(key), store };
}

/** @param key checked by the schema */
function rateLimitKey(key: string): RateLimitKey {
  if (key === 'address' || key === 'all') return { by: key };
  const value = key.slice(key.indexOf(':') + 1);
  return key.startsWith('header:')
    ? { by: 'header', name: value.toLowerCase() }
    : { by: 'context', path: value.split('.') };
}

function normalizeCompression({ min_size, ...rest }: RawCompressionRule): CompressionConfig {
  return { ...rest, minBytes: parseSize(min_size) };
}

function normalizeValidation(raw: NonNullable<RawEndpoint['validate']>): ValidationConfig {
  // The schema of the file accepts mappings of JSON only.
  const { params, query, headers, body } = raw as Partial<ValidationConfig>;
  return { params: params ?? null, query: query ?? null, headers: headers ?? null, body: body ?? null };
}
