import type { HeaderMap } from '../../plugins/plugin.js';

/**
 * Converts Node's flat [name, value, name, value, …] list to a map: names in lower case, repeated headers
 * joined as HTTP allows, set-cookie as a list.
 */
export function headerMap(raw: readonly string[]): HeaderMap {
  const map: HeaderMap = {};
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    const value = raw[i + 1]!;
    // As a plain member, this name would set the prototype; no HTTP header has it.
    if (name === '__proto__') continue;
    if (!Object.hasOwn(map, name)) map[name] = name === 'set-cookie' ? [value] : value;
    else map[name] = joined(name, map[name]!, value);
  }
  return map;
}

function joined(name: string, earlier: string | string[], value: string): string | string[] {
  if (Array.isArray(earlier)) return [...earlier, value];
  return earlier + (name === 'cookie' ? '; ' : ', ') + value;
}

/** The first header of that lower-case name in a flat list, or undefined. */
export function rawHeader(raw: readonly string[], name: string): string | undefined {
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const candidate = raw[i]!;
    if (candidate.length === name.length && candidate.toLowerCase() === name) return raw[i + 1];
  }
  return undefined;
}

/** All headers of that lower-case name in a flat list, joined; undefined when there is none. */
export function joinedRawHeader(raw: readonly string[], name: string): string | undefined {
  let text: string | undefined;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (raw[i]!.length !== name.length || raw[i]!.toLowerCase() !== name) continue;
    text = text === undefined ? raw[i + 1]! : `${text}, ${raw[i + 1]!}`;
  }
  return text;
}

/** A header's text; a list of values is joined. */
export function headerText(headers: Readonly<HeaderMap>, name: string): string | undefined {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  return Array.isArray(value) ? value.join(', ') : value;
}
