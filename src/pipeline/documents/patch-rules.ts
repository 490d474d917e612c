import type { JsonObject } from '../../config/types.js';
import type { HeaderMap } from '../../plugins/plugin.js';
import { inUtf8 } from './media-type.js';
import { isObject } from './own-member.js';
import type { DocumentBody, PatchedBody } from './document-body.js';

const CONTENT_TYPES = {
  json: 'application/json',
  text: 'text/plain; charset=utf-8',
  base64: 'application/octet-stream',
} as const;

/**
 * Headers that match a patched body: without the length and coding of the old bytes, and with the content-type
 * of the new encoding when the old type no longer matches and the patch names none. Text is written in UTF-8.
 * @param change the patch's changes to headers
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
  const type = fitted['content-type'];
  if (body.encoding === 'text' && typeof type === 'string') fitted['content-type'] = inUtf8(type);
  return fitted;
}
