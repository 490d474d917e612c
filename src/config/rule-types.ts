/** The part of the configuration that rules are prepared from; see types.ts. This file contains only types. */

import type { HttpMethod } from './http-method.js';
import type { CacheConfig, CompressionConfig, ValidationConfig } from './content-types.js';

/** The rules around the answers of an endpoint, or of all endpoints. Null where the file says nothing. */
export interface RuleConfig {
  /** That of an endpoint replaces that of the server. */
  readonly compression: CompressionConfig | null;
  /** That of an endpoint replaces that of the server. */
  readonly cache: CacheConfig | null;
  /** Rules of the server apply before those of the endpoint. */
  readonly headers: HeaderRuleConfig | null;
  /** Of an endpoint only. */
  readonly validation: ValidationConfig | null;
  readonly plainHttp: PlainHttp | null;
  readonly cors: CorsConfig | null;
  readonly rateLimit: RateLimitConfig | null;
}

/** The rules of an endpoint. Null where the file says nothing; then the server's rule applies, if it has one. */
export interface EndpointRuleConfig extends RuleConfig {
  /** Longest time from the head of a request to the head of its response. */
  readonly timeoutMs: number | null;
  /** Longest time between two reads of a request body. */
  readonly bodyTimeoutMs: number | null;
}

/** The `cors:` block of the server or of an endpoint. */
export interface CorsConfig {
  /** False: plugins and proxy targets speak the CORS protocol themselves. */
  readonly enabled: boolean;
  /** Origins; `https://*.host` for every name below a host, `*` for every origin. */
  readonly origins: readonly string[];
  /** Null: the methods of the endpoint. */
  readonly methods: readonly HttpMethod[] | null;
  /** Allowed request headers. Null: those that the browser asks for. */
  readonly headers: readonly string[] | null;
  readonly exposeHeaders: readonly string[];
  readonly credentials: boolean;
  readonly maxAgeMs: number;
  readonly privateNetwork: boolean;
}

/** What the requests of a rate limit are counted by. */
export type RateLimitKey =
  | { readonly by: 'address' | 'all' }
  /** The name is in lower case. */
  | { readonly by: 'header'; readonly name: string }
  /** The names of the members that lead to the value. */
  | { readonly by: 'context'; readonly path: readonly string[] };

/** The `rate_limit:` block of the server or of an endpoint. */
export interface RateLimitConfig {
  /** 0: no limit. */
  readonly requests: number;
  readonly perMs: number;
  readonly key: RateLimitKey;
  readonly store: 'memory' | 'redis';
}

/** The `server.redis:` block. */
export interface RedisConfig {
  /** May contain a password. */
  readonly url: string;
  readonly prefix: string;
  /** How long a request waits for Redis. */
  readonly timeoutMs: number;
}

/** What is done with requests that do not come over TLS: redirect sends their clients to the same URL with https. */
export type PlainHttp = 'allow' | 'redirect';

/** The `headers:` block of the server or of an endpoint. */
export interface HeaderRuleConfig {
  readonly request: HeaderChanges | null;
  readonly response: HeaderChanges | null;
}

/** Changes of headers: first names are removed, then values are set, then values are added. */
export interface HeaderChanges {
  readonly remove: readonly string[];
  readonly set: Readonly<Record<string, string>>;
  readonly add: Readonly<Record<string, string>>;
}

/** The `redirect:` block of an endpoint. */
export interface RedirectConfig {
  /** A path or a URL, with `{name}` and `{*}` for parameters of the endpoint's path. */
  readonly to: string;
  readonly status: 301 | 302 | 303 | 307 | 308;
  /** Whether the query of the request is appended. */
  readonly query: 'keep' | 'drop';
}
