import { isAscii } from 'node:buffer';
import { BackworksError } from '../../errors.js';
import type { BodyEncoding } from '../../plugins/plugin.js';
import { rawHeader } from './header-map.js';

const TEXT_TYPES = /^(?:text\/.*|application\/x-www-form-urlencoded|application\/xml|.*\+xml)$/;
const JSON_TYPES = /^(?:application\/json|.*\+json)$/;

const UTF8_CHARSETS: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii']);
/** Character sets in which the bytes of ASCII stand for the characters of ASCII. */
const ASCII_BASED = /^(?:iso-8859-\d+|latin1|windows-125\d|koi8-[ru])$/;

/**
 * How documents carry a body: JSON as JSON, text as a string, anything else as base64. Text in a character set
 * that the server does not read is bytes.
 */
export function encodingOf(contentType: string | undefined, body: Buffer | string): BodyEncoding {
  const essence = mediaType(contentType);
  if (essence === undefined) return 'base64';
  if (JSON_TYPES.test(essence)) return 'json';
  if (!TEXT_TYPES.test(essence)) return 'base64';
  return typeof body === 'string' || isReadable(body, charsetOf(contentType)) ? 'text' : 'base64';
}

function isReadable(body: Buffer, charset: string | undefined): boolean {
  if (charset === undefined || UTF8_CHARSETS.has(charset)) return true;
  return ASCII_BASED.test(charset) && isAscii(body);
}

/** Whether a content-type names JSON. */
export function isJsonType(contentType: string | undefined): boolean {
  return JSON_TYPES.test(mediaType(contentType) ?? '');
}

/** A content-type for text that the server writes, which is always UTF-8. */
export function inUtf8(contentType: string): string {
  const charset = charsetOf(contentType);
  if (charset === undefined || UTF8_CHARSETS.has(charset)) return contentType;
  return contentType.replace(CHARSET, (_, before: string) => `${before}utf-8`);
}

/**
 * Checks the charset of a request body that a plugin's endpoint reads. A body with a content coding is bytes,
 * whatever its text is written in.
 * @throws BackworksError BW_REQUEST_MEDIA_TYPE when it is not UTF-8
 */
export function checkCharset(rawHeaders: readonly string[]): void {
  const charset = charsetOf(rawHeader(rawHeaders, 'content-type'));
  if (charset === undefined || UTF8_CHARSETS.has(charset) || !isPlain(rawHeaders)) return;
  throw new BackworksError('BW_REQUEST_MEDIA_TYPE', 'the body has a charset other than UTF-8');
}

/** Whether no Content-Encoding line names a coding. There may be several lines with several codings each. */
function isPlain(rawHeaders: readonly string[]): boolean {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const named = rawHeaders[i]!.toLowerCase() === 'content-encoding';
    if (named && !isPlainCoding(rawHeaders[i + 1])) return false;
  }
  return true;
}

/** Type and subtype in lower case, without parameters. */
export function mediaType(contentType: string | undefined): string | undefined {
  return contentType?.split(';', 1)[0]!.trim().toLowerCase();
}

/** The charset parameter in lower case, or undefined. */
function charsetOf(contentType: string | undefined): string | undefined {
  const match = contentType === undefined ? null : CHARSET.exec(contentType);
  return match?.[2]?.toLowerCase();
}

const CHARSET = /(;\s*charset\s*=\s*)"?([^\s;"]+)"?/i;

/** Whether a content-encoding header, possibly a list, leaves the body unchanged: every coding is identity. */
export function isPlainCoding(contentEncoding: string | undefined): boolean {
  return contentEncoding === undefined || /^(?:[\t ,]|identity(?=[\t ,]|$))*$/i.test(contentEncoding);
}
