/** The part of the configuration that rules are prepared from; see types.ts. This file contains only types. */

import type { CacheConfig, CompressionConfig } from './content-types.js';

/** The rules around the answers of an endpoint, or of all endpoints. Null where the file says nothing. */
export interface RuleConfig {
  /** That of an endpoint replaces that of the server. */
  readonly compression: CompressionConfig | null;
  /** That of an endpoint replaces that of the server. */
  readonly cache: CacheConfig | null;
  /** Rules of the server apply before those of the endpoint. */
  readonly headers: HeaderRuleConfig | null;
  readonly plainHttp: PlainHttp | null;
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
