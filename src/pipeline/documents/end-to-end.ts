/**
 * Header fields that concern one connection only (RFC 9110 section 7.6.1), and older fields with the same
 * meaning.
 */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** A bit for each length of a name in HOP_BY_HOP. The length alone rules out most names. */
const LENGTHS = [...HOP_BY_HOP].reduce((bits, { length }) => bits | (1 << length), 0);
const LENGTH_MAX = 31;

/** Fields that `Connection` cannot remove: without them the message would mean something else. */
const PROTECTED: ReadonlySet<string> = new Set(['host', 'content-length']);

/**
 * The fields of a message that travel beyond its connection: all except hop-by-hop fields and the fields
 * that its `Connection` header names.
 * @param raw Node's flat list [name, value, name, value, …]
 * @returns `raw` itself when nothing must be removed
 */
export function endToEnd(raw: readonly string[]): readonly string[] {
  let removed: Set<string> | null = null;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const given = raw[i]!;
    if (given.length > LENGTH_MAX || ((LENGTHS >> given.length) & 1) === 0) continue;
    const name = given.toLowerCase();
    if (!HOP_BY_HOP.has(name)) continue;
    removed ??= new Set<string>();
    removed.add(name);
    if (name === 'connection') addNamed(removed, raw[i + 1]!);
  }
  return removed === null ? raw : without(raw, removed);
}

function addNamed(names: Set<string>, connection: string): void {
  for (const option of connection.split(',')) {
    const name = option.trim().toLowerCase();
    if (!PROTECTED.has(name)) names.add(name);
  }
}

function without(raw: readonly string[], removed: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (!removed.has(raw[i]!.toLowerCase())) kept.push(raw[i]!, raw[i + 1]!);
  }
  return kept;
}

/**
 * Fields that a trailer must not set: a recipient that adds trailers to the headers would take the message for
 * another one, or for another client's (RFC 9110 section 6.5.1).
 */
const NOT_IN_TRAILERS =
  /^(?:authorization|cache-control|content-(?:encoding|length|range|type)|cookie|forwarded|host|max-forwards|set-cookie|x-forwarded-.*|x-real-ip|x-request-id)$/i;

/** The fields of a trailer that are passed on, as [name, value] pairs. @param raw Node's flat list */
export function passingTrailers(raw: readonly string[]): [string, string][] {
  const kept = endToEnd(raw);
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < kept.length; i += 2) {
    if (!NOT_IN_TRAILERS.test(kept[i]!)) pairs.push([kept[i]!, kept[i + 1]!]);
  }
  return pairs;
}
