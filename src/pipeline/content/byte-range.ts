/** A part of a body. Both ends are inclusive, as in content-range. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

const SINGLE = /^bytes=[\t ]*(?:(\d+)-(\d*)|-(\d+))[\t ]*$/i;

/**
 * The part of a body that a Range header asks for (RFC 9110 section 14.2). The server sends one part or all: a list of
 * ranges gets the whole body, so that overlapping ranges cannot multiply the bytes of an answer.
 *
 * @param header undefined when there is none
 * @param sizeBytes length of the whole body
 * @returns null for the whole body; `unsatisfiable` when the range lies outside of it
 */
export function byteRange(header: string | undefined, sizeBytes: number): ByteRange | 'unsatisfiable' | null {
  const match = header === undefined ? null : SINGLE.exec(header);
  if (match === null) return null;
  const [, from, to, suffix] = match;
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), sizeBytes);
    return length === 0 ? 'unsatisfiable' : { first: sizeBytes - length, last: sizeBytes - 1 };
  }
  const first = Number(from);
  const last = to === '' ? Infinity : Number(to);
  // RFC 9110 section 14.1.1: such a range is invalid, and an invalid header is ignored.
  if (last < first) return null;
  return first >= sizeBytes ? 'unsatisfiable' : { first, last: Math.min(last, sizeBytes - 1) };
}
