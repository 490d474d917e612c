/** One element of a list of entity tags, with the separators before it (RFC 9110 section 8.8.3). */
const ELEMENT = /[\t ,]*(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/y;

/** The same tag, which says that only the meaning of two bodies is equal, not each byte. */
export function weak(tag: string): string {
  return tag.startsWith('W/') ? tag : `W/${tag}`;
}

/**
 * Whether a list of entity tags, or `*`, names a tag. What follows a malformed element is not read.
 *
 * @param list the value of If-Match or If-None-Match, its lines joined
 * @param tag the tag of the answer; null when it has none
 * @param comparison `strong` never matches weak tags (RFC 9110 section 8.8.3.2)
 */
export function listsTag(list: string, tag: string | null, comparison: 'strong' | 'weak'): boolean {
  if (list.trim() === '*') return true;
  if (tag === null || (comparison === 'strong' && tag.startsWith('W/'))) return false;
  const opaque = tag.replace(/^W\//, '');
  ELEMENT.lastIndex = 0;
  for (let match = ELEMENT.exec(list); match !== null; match = ELEMENT.exec(list)) {
    if (match[2] === opaque && (comparison === 'weak' || match[1] === undefined)) return true;
  }
  return false;
}
