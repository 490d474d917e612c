import type { BodyEncoding } from '../../plugins/plugin.js';

const TEXT_TYPES = /^(?:text\/.*|application\/x-www-form-urlencoded|application\/xml|.*\+xml)$/;
const JSON_TYPES = /^(?:application\/json|.*\+json)$/;

/** How documents carry a body with this content-type: JSON as JSON, text as a string, other types as base64. */
export function encodingOf(contentType: string | undefined): BodyEncoding {
  const essence = mediaType(contentType);
  if (essence === undefined) return 'base64';
  if (JSON_TYPES.test(essence)) return 'json';
  return TEXT_TYPES.test(essence) ? 'text' : 'base64';
}

/** Type and subtype in lower case, without parameters. */
export function mediaType(contentType: string | undefined): string | undefined {
  return contentType?.split(';', 1)[0]!.trim().toLowerCase();
}

/** The charset parameter in lower case, or undefined. */
export function charsetOf(contentType: string | undefined): string | undefined {
  const match = contentType === undefined ? null : /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType);
  return match?.[1]?.toLowerCase();
}

/** Whether a content-encoding header, possibly a list, leaves the body unchanged: every coding is identity. */
export function isPlainCoding(contentEncoding: string | undefined): boolean {
  return contentEncoding === undefined || /^(?:[\t ,]|identity(?=[\t ,]|$))*$/i.test(contentEncoding);
}
