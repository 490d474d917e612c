import type { HeaderMap } from '../../plugins/plugin.js';

/** JSON text put together by hand, where JSON.stringify() would first need an object. */

/** A character that does not stand in a JSON string as it is, or might not. */
const SPECIAL = /[^ !#-[\]-~]/;

/** A string as JSON. */
export function quoted(text: string): string {
  return SPECIAL.test(text) ? JSON.stringify(text) : `"${text}"`;
}

const KEYS_MAX = 1000;
const keys = new Map<string, string>();

/** A header's name as it begins a member, in lower case: `"host":`. The same string every time. */
function memberKey(name: string): string {
  let key = keys.get(name);
  if (key === undefined) {
    key = `${JSON.stringify(name.toLowerCase())}:`;
    // Names come from clients: what does not fit is made anew every time.
    if (keys.size < KEYS_MAX) keys.set(name, key);
  }
  return key;
}

/**
 * Node's flat list of headers as a JSON object; null when it is not as simple as that: a name occurs more
 * than once, or needs to be looked at.
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

/** An object as JSON; most often there is nothing in it. */
export function objectJson(object: object): string {
  for (const _name in object) return JSON.stringify(object);
  return '{}';
}
