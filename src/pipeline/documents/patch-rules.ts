import type { JsonObject, JsonValue } from '../../config/types.js';
import type { HeaderMap } from '../../plugins/plugin.js';
import { InvalidAnswer, checkHeaders, isFraming } from '../../plugins/response-check.js';
import type { DocumentBody, PatchedBody } from './document-body.js';
import { JSON_DEPTH_MAX, nestsTooDeep } from '../../plugins/json-depth.js';
import { isObject } from './merge-patch.js';
import { setOwn } from './own-member.js';

/** What patches of requests and of responses have in common. */

/**
 * A copy of a plugin's patch that is safe to merge: not too deep, header names in lower case and their
 * values checked, and nothing in it about the members in `fixed` or the framing of the message.
 * @throws InvalidAnswer with the reason.
 */
export function readPatch(patch: JsonObject, fixed: readonly string[]): JsonObject {
  if (nestsTooDeep(patch)) throw new InvalidAnswer(`it nests deeper than ${JSON_DEPTH_MAX} levels`);
  const change = { ...patch };
  for (const name of fixed) delete change[name];
  if (Object.hasOwn(change, 'headers') && change.headers !== null)
    change.headers = readHeaders(change.headers);
  return change;
}

/** Headers of a patch; null removes one. */
function readHeaders(headers: JsonValue | undefined): JsonObject {
  if (!isObject(headers)) throw new InvalidAnswer('headers are not an object');
  const entries = Object.entries(headers);
  const change: JsonObject = checkHeaders(Object.fromEntries(entries.filter(([, value]) => value !== null)));
  for (const [name, value] of entries) if (value === null) setOwn(change, name.toLowerCase(), null);
  for (const name of Object.keys(change)) if (isFraming(name)) delete change[name];
  return change;
}

/** An object member that a patch may have removed. */
export function optionalObject(value: JsonValue | undefined, name: string): JsonObject {
  if (value === undefined) return {};
  if (!isObject(value)) throw new InvalidAnswer(`${name} is not an object`);
  return value;
}

const CONTENT_TYPES = {
  json: 'application/json',
  text: 'text/plain; charset=utf-8',
  base64: 'application/octet-stream',
} as const;

/**
 * Headers that fit a patched body: no length or coding of the old bytes, and a content-type of the new
 * encoding where the old one no longer holds and the patch names none.
 */
export function headersAfter(
  headers: Readonly<HeaderMap>,
  body: PatchedBody,
  before: DocumentBody,
  change: JsonObject,
): HeaderMap {
  const fitted = { ...headers };
  delete fitted['content-length'];
  if (body.encoding !== 'base64') delete fitted['content-encoding'];
  if (body.bytes === null) return fitted;
  const named = isObject(change.headers) && Object.hasOwn(change.headers, 'content-type');
  if (!named && (body.encoding !== before.encoding || fitted['content-type'] === undefined)) {
    fitted['content-type'] = CONTENT_TYPES[body.encoding];
  }
  return fitted;
}
