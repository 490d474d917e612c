import type { HeaderMap } from '../../plugins/plugin.js';

/** Functions that write JSON text directly, where JSON.stringify() would first need an object. */

/** A character that JSON must escape, or may have to. */
const SPECIAL = /[^ !#-[\]-~]/;

/** A string as JSON. */
export function quoted(text: string): string {
  return SPECIAL.test(text) ? JSON.stringify(text) : `"${text}"`;
}

const KEYS_MAX = 1000;
const keys = new Map<string, string>();

/** A header's name as the beginning of a member, in lower case: `"host":`. Cached, so always the same string. */
function memberKey(name: string): string {
  let key = keys.get(name);
  if (key === undefined) {
    key = `${JSON.stringify(name.toLowerCase())}:`;
    // Names come from clients, so the cache is limited; further names are built every time.
    if (keys.size < KEYS_MAX) keys.set(name, key);
  }
  return key;
}

/**
 * Node's flat list of headers as a JSON object. Null when a name occurs more than once or needs special
 * treatment.
 */
export function plainHeadersJson(raw: readonly string[]): string | null {
  const seen: string[] = [];
  let json = '';
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const key = memberKey(raw[i]!);
    if (key === '"__proto__":' || key === '"set-cookie":' || seen.includes(key)) return null;
    seen.push(key);
    json += (json === '' ? key : `,${key}`) + quoted(raw[i + 1]!);
  }
  return `{${json}}`;
}

/** Checked headers as a JSON object. */
export function headersJson(headers: Readonly<HeaderMap>): string {
  let json = '';
  for (const name in headers) {
    const value = headers[name]!;
    const key = memberKey(name);
    json +=
      (json === '' ? key : `,${key}`) + (typeof value === 'string' ? quoted(value) : JSON.stringify(value));
  }
  return `{${json}}`;
}

/** An object as JSON; usually it is empty. */
export function objectJson(object: object): string {
  for (const _name in object) return JSON.stringify(object);
  return '{}';
}
