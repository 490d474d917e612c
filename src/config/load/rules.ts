import type { CompressionConfig, HeaderChanges, PlainHttp, RuleConfig } from '../types.js';
import type { RawCacheRule, RawCompressionRule, RawHeaderRules } from '../schema/raw.js';
import { parseSize } from '../source/units.js';

/** The keys of rules, which the server and an endpoint have in common. */
interface RawRules {
  readonly headers?: RawHeaderRules;
  readonly plain_http?: PlainHttp;
  readonly compression?: RawCompressionRule;
  readonly cache?: RawCacheRule;
}

export function normalizeRules({ headers, plain_http: plainHttp, compression, cache }: RawRules): RuleConfig {
  return {
    headers:
      headers === undefined
        ? null
        : { request: changes(headers.request), response: changes(headers.response) },
    plainHttp: plainHttp ?? null,
    compression: compression === undefined ? null : normalizeCompression(compression),
    cache: cache === undefined ? null : { control: cache.control ?? null, etag: cache.etag },
  };
}

/** The member of an endpoint, if the endpoint has rules. */
export function ifAny(rules: RuleConfig): { readonly rules: RuleConfig } | undefined {
  return Object.values(rules).every((rule) => rule === null) ? undefined : { rules };
}

function changes(raw: RawHeaderRules['request']): HeaderChanges | null {
  return raw === undefined ? null : { remove: raw.remove, set: raw.set, add: raw.add };
}

function normalizeCompression({ min_size, ...rest }: RawCompressionRule): CompressionConfig {
  return { ...rest, minBytes: parseSize(min_size) };
}
