/** Elements of one Accept-Encoding header that are read. Clients send about five. */
const ELEMENTS_MAX = 32;
const ELEMENT = /^([!#$%&'*+.^_`|~0-9a-z-]+)(?:[\t ]*;[\t ]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/;

/**
 * The content codings that an answer may have (RFC 9110 section 12.5.3): those that the client weights highest first,
 * and of equals the one that stands first in `offered`. No coding is always possible as well, after those listed.
 *
 * @param header the client's Accept-Encoding, its lines joined; undefined when there is none
 * @param offered in lower case, in the server's order of preference
 */
export function acceptedCodings<Coding extends string>(
  header: string | undefined,
  offered: readonly Coding[],
): Coding[] {
  if (header === undefined || offered.length === 0) return [];
  const weights = readWeights(header);
  const others = weights.get('*') ?? 0;
  const weightOf = (coding: string): number => weights.get(coding) ?? others;
  // A client that accepts both prefers a coding to none, unless it says otherwise.
  const none = weights.get('identity') ?? 0;
  const accepted = offered.filter((coding) => weightOf(coding) > 0 && weightOf(coding) >= none);
  return accepted.sort((a, b) => weightOf(b) - weightOf(a));
}

/** The weight of each coding that a header names. A malformed element is left out. */
function readWeights(header: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const element of header.toLowerCase().split(',', ELEMENTS_MAX)) {
    const match = ELEMENT.exec(element.trim());
    if (match === null) continue;
    // RFC 9110 section 8.4.1.3: a recipient treats "x-gzip" as "gzip".
    const coding = match[1] === 'x-gzip' ? 'gzip' : match[1]!;
    weights.set(coding, match[2] === undefined ? 1 : Number(match[2]));
  }
  return weights;
}
