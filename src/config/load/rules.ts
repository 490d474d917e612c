import type { HeaderChanges, PlainHttp, RuleConfig } from '../types.js';
import type { RawHeaderRules } from '../schema/raw.js';

/** The keys of rules, which the server and an endpoint have in common. */
interface RawRules {
  readonly headers?: RawHeaderRules;
  readonly plain_http?: PlainHttp;
}

export function normalizeRules({ headers, plain_http: plainHttp }: RawRules): RuleConfig {
  return {
    headers:
      headers === undefined
        ? null
        : { request: changes(headers.request), response: changes(headers.response) },
    plainHttp: plainHttp ?? null,
  };
}

/** The member of an endpoint, if the endpoint has rules. */
export function ifAny(rules: RuleConfig): { readonly rules: RuleConfig } | undefined {
  return Object.values(rules).every((rule) => rule === null) ? undefined : { rules };
}

function changes(raw: RawHeaderRules['request']): HeaderChanges | null {
  return raw === undefined ? null : { remove: raw.remove, set: raw.set, add: raw.add };
}
