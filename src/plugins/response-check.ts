import type { HeaderMap } from './plugin.js';

/**
 * What HTTP and Node's writer accept, checked where an answer enters the program, so that no answer can
 * make the server throw while it writes.
 */

/** @internal exported for its test */
export const HEADERS_MAX = 100;
/** @internal exported for its test */
export const HEADER_BYTES_MAX = 64 * 1024;

/** Why an answer or a patch cannot be used; whoever knows the plugin turns it into a PluginFailure. */
export class InvalidAnswer extends TypeError {
  override readonly name = 'InvalidAnswer';
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Headers that frame the message; the server writes them itself. */
const FRAMING = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Whether a header, named in lower case, is the server's alone to write. */
export function isFraming(name: string): boolean {
  return FRAMING.has(name);
}

/**
 * Checks a status and headers that go to a client.
 * @returns the headers with lower-case names, without those that frame the message.
 * @throws InvalidAnswer with the reason.
 */
export function checkResponseParts(status: unknown, headers: unknown): HeaderMap {
  checkStatus(status);
  const checked = checkHeaders(headers);
  for (const name in checked) if (FRAMING.has(name)) delete checked[name];
  return checked;
}

/** @throws InvalidAnswer unless `status` is an integer from 200 to 599. */
export function checkStatus(status: unknown): asserts status is number {
  if (typeof status === 'number' && Number.isInteger(status) && status >= 200 && status <= 599) return;
  throw new InvalidAnswer(`status ${show(status)} is not an integer from 200 to 599`);
}

/**
 * Checks headers given as an object of strings or lists of strings; undefined and null are no headers.
 * @returns a new object with lower-case names.
 * @throws InvalidAnswer with the reason.
 */
export function checkHeaders(headers: unknown): HeaderMap {
  const checked: HeaderMap = {};
  if (headers === undefined || headers === null) return checked;
  if (typeof headers !== 'object' || Array.isArray(headers))
    throw new InvalidAnswer('headers are not an object');
  let count = 0;
  let bytes = 0;
  for (const [given, value] of Object.entries(headers as Record<string, unknown>)) {
    const name = checkName(given);
    const values = Array.isArray(value) ? (value as unknown[]) : [value];
    for (const item of values) {
      bytes += name.length + checkValue(name, item).length;
      count += 1;
    }
    if (count > HEADERS_MAX) throw new InvalidAnswer(`there are more than ${HEADERS_MAX} headers`);
    if (bytes > HEADER_BYTES_MAX)
      throw new InvalidAnswer(`the headers are longer than ${HEADER_BYTES_MAX} bytes`);
    checked[name] = Array.isArray(value) ? [...(values as string[])] : (value as string);
  }
  return checked;
}

/**
 * The bytes of a body that a plugin gave in base64 (RFC 4648 section 4: padded, on one line).
 * @throws InvalidAnswer when it is anything else; Buffer.from() would drop what it cannot read.
 */
export function decodeBase64(text: unknown): Buffer {
  if (typeof text !== 'string') throw new InvalidAnswer('a body with encoding "base64" is not a string');
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    throw new InvalidAnswer('the body is not valid base64');
  }
  return Buffer.from(text, 'base64');
}

function checkName(given: string): string {
  // "__proto__" is a token, but no object can carry it as a plain member.
  if (!TOKEN.test(given) || given === '__proto__') {
    throw new InvalidAnswer(`header name ${show(given)} is not a token`);
  }
  return given.toLowerCase();
}

function checkValue(name: string, value: unknown): string {
  if (typeof value !== 'string') throw new InvalidAnswer(`header ${name} is not a string`);
  if (!VALUE.test(value)) throw new InvalidAnswer(`header ${name} has a character that headers cannot carry`);
  return value;
}

/** A value as it may stand in a message: short, on one line. */
function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
