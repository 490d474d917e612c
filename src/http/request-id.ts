import { randomFillSync } from 'node:crypto';

const ID_BYTES = 16;
const ID_CHARACTERS = 36;
const LOT = 128;
/** A bit for each byte position that has a hyphen before it. */
const HYPHENS = (1 << 4) | (1 << 6) | (1 << 8) | (1 << 10);
const HYPHEN = 0x2d;
const DIGITS = Buffer.from('0123456789abcdef');

const random = Buffer.allocUnsafeSlow(LOT * ID_BYTES);
const text = Buffer.allocUnsafeSlow(LOT * ID_CHARACTERS);
let ids = '';
let next = 0;

/**
 * A random UUID (version 4). crypto.randomUUID() builds each from twenty strings, which are joined when it
 * is used; this function makes many at a time.
 * @internal exported for its test
 */
export function newRequestId(): string {
  if (next === ids.length) {
    ids = generateBatch();
    next = 0;
  }
  return ids.slice(next, (next += ID_CHARACTERS));
}

/** The client's x-request-id if it is 1 to 128 visible ASCII characters, otherwise a new id. */
export function requestId(given: string | undefined): string {
  return given !== undefined && /^[\x21-\x7e]{1,128}$/.test(given) ? given : newRequestId();
}

function generateBatch(): string {
  randomFillSync(random);
  let end = 0;
  for (let start = 0; start < random.length; start += ID_BYTES) {
    random[start + 6] = (random[start + 6]! & 0x0f) | 0x40;
    random[start + 8] = (random[start + 8]! & 0x3f) | 0x80;
    for (let place = 0; place < ID_BYTES; place += 1) {
      const byte = random[start + place]!;
      if (((HYPHENS >> place) & 1) === 1) text[end++] = HYPHEN;
      text[end++] = DIGITS[byte >> 4]!;
      text[end++] = DIGITS[byte & 0x0f]!;
    }
  }
  return text.toString('latin1');
}
