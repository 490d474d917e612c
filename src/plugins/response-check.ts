import type { BodyEncoding, HeaderMap } from './plugin.js';

/**
 * Checks answers against the rules of HTTP and of Node's writer as soon as they arrive, so that no answer makes the
 * server throw while it writes a response.
 */

/** @internal exported for its test */
export const HEADERS_MAX = 100;
/** Length of all names and values together. */
export const HEADER_BYTES_MAX = 64 * 1024;

/** An answer or a patch is not usable. Code that knows the plugin turns this error into a PluginFailure. */
export class InvalidAnswer extends TypeError {
  override readonly name = 'InvalidAnswer';
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Headers that frame the message. Only the server writes them; src/runner/serve/request_patch.c has the same list.
 * @internal exported for its test
 */
export const FRAMING = new Set([
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

/** Whether only the server may write a header. @param name in lower case */
export function isFraming(name: string): boolean {
  return FRAMING.has(name);
}

/**
 * Checks a status and headers that go to a client.
 * @returns the headers with lower-case names, without those that frame the message
 * @throws InvalidAnswer with the reason
 */
export function checkResponseParts(status: unknown, headers: unknown): HeaderMap {
  checkStatus(status);
  const checked = checkHeaders(headers);
  for (const name in checked) if (FRAMING.has(name)) delete checked[name];
  return checked;
}

/** @throws InvalidAnswer unless `status` is an integer from 200 to 599 */
export function checkStatus(status: unknown): asserts status is number {
  if (typeof status === 'number' && Number.isInteger(status) && status >= 200 && status <= 599) return;
  throw new InvalidAnswer(`status ${excerpt(status)} is not an integer from 200 to 599`);
}

/**
 * Checks headers: an object of strings or lists of strings. Undefined and null mean no headers.
 * @returns a new object with lower-case names
 * @throws InvalidAnswer with the reason
 */
export function checkHeaders(headers: unknown): HeaderMap {
  const checked: HeaderMap = {};
  if (headers === undefined || headers === null) return checked;
  if (typeof headers !== 'object' || Array.isArray(headers))
    throw new InvalidAnswer('headers are not an object');
  let count = 0;
  let bytes = 0;
  for (const [given, value] of Object.entries(headers as Record<string, unknown>)) {
    const name = checkHeaderName(given);
    const values = Array.isArray(value) ? (value as unknown[]) : [value];
    for (const item of values) {
      bytes += name.length + checkHeaderValue(name, item).length;
      count += 1;
    }
    if (count > HEADERS_MAX) throw new InvalidAnswer(`there are more than ${HEADERS_MAX} headers`);
    if (bytes > HEADER_BYTES_MAX)
      throw new InvalidAnswer(`the headers are longer than ${HEADER_BYTES_MAX} bytes`);
    checked[name] = Array.isArray(value) ? [...(values as string[])] : (value as string);
  }
  return checked;
}

/** @throws InvalidAnswer when a `body_encoding` is not one; null when there is none */
export function checkEncoding(encoding: unknown): BodyEncoding | null {
  if (encoding === null || encoding === 'json' || encoding === 'text' || encoding === 'base64')
    return encoding;
  throw new InvalidAnswer('body_encoding is not "json", "text" or "base64"');
}

/** @throws InvalidAnswer when a text has half of a surrogate pair, which no byte stands for */
export function checkText(text: string): string {
  if (/\p{Surrogate}/u.test(text)) throw new InvalidAnswer('the text has half of a surrogate pair');
  return text;
}

/**
 * Decodes a base64 body (RFC 4648 section 4: padded, on one line).
 * @throws InvalidAnswer when the text is anything else; Buffer.from() would silently drop invalid characters
 */
export function decodeBase64(text: unknown): Buffer {
  if (typeof text !== 'string') throw new InvalidAnswer('a body with encoding "base64" is not a string');
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    throw new InvalidAnswer('the body is not valid base64');
  }
  return Buffer.from(text, 'base64');
}

const NAMES_MAX = 1000;
const NAME_LENGTH_MAX = 64;
/** Names that were checked before, in lower case. Plugins choose names, so their number and length are bounded. */
const checkedNames = new Map<string, string>();

/**
 * Checks a header's name.
 * @returns the name in lower case: the same string each time, which V8 stores in an object faster than a new one
 * @throws InvalidAnswer when the name is not a token
 */
export function checkHeaderName(given: string): string {
  const known = checkedNames.get(given);
  if (known !== undefined) return known;
  const [name] = Object.keys({ [checkName(given)]: null }) as [string];
  if (checkedNames.size < NAMES_MAX && given.length <= NAME_LENGTH_MAX) checkedNames.set(given, name);
  return name;
}

function checkName(given: string): string {
  // "__proto__" is a token, but assigning this member to an object would change the object's prototype.
  if (!TOKEN.test(given) || given === '__proto__') {
    throw new InvalidAnswer(`header name ${excerpt(given)} is not a token`);
  }
  return given.toLowerCase();
}

/** @throws InvalidAnswer when the value is not a string that a header can carry */
export function checkHeaderValue(name: string, value: unknown): string {
  if (typeof value !== 'string') throw new InvalidAnswer(`header ${name} is not a string`);
  if (!VALUE.test(value)) throw new InvalidAnswer(`header ${name} has a character that headers cannot carry`);
  return value;
}

/** A value in short form, on one line, for a message. */
function excerpt(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
