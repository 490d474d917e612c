import { isUtf8 } from 'node:buffer';
import { BackworksError } from '../../errors.js';
import type { JsonObject, JsonValue } from '../../config/types.js';
import { LongText, type Text } from '../../long-text.js';
import type { BodyEncoding } from '../../plugins/plugin.js';
import { decodeBase64, InvalidAnswer } from '../../plugins/response-check.js';
import { checkJson, JsonFact } from '../../plugins/json-check.js';
import { JSON_DEPTH_MAX } from '../../plugins/json-depth.js';
import { mergePatch } from './merge-patch.js';

/** A body as a document carries it. */
export interface DocumentBody {
  readonly encoding: BodyEncoding;
  /**
   * JSON text of the document's `body` member; its bytes in UTF-8 when it is long. A JSON body stands here
   * exactly as it was sent.
   */
  readonly json: string | Buffer;
}

/** Shorter JSON is cheaper as a string. */
const LONG_BYTES_MIN = 4 * 1024;

export const EMPTY_BODY: DocumentBody = { encoding: 'text', json: 'null' };

/**
 * The body of a request.
 * @throws BackworksError BW_REQUEST_INVALID when it is not what its content-type says.
 */
export function requestBody(bytes: Buffer, encoding: BodyEncoding): DocumentBody {
  if (bytes.length === 0) return EMPTY_BODY;
  if (encoding === 'base64') return base64Body(bytes);
  if (encoding === 'text') return { encoding, json: JSON.stringify(utf8Text(bytes)) };
  const facts = checkJson(bytes);
  if ((facts & JsonFact.VALID) === 0) throw notJson(bytes, facts);
  return { encoding, json: textOf(bytes) };
}

function utf8Text(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new BackworksError('BW_REQUEST_INVALID', 'the body is not valid UTF-8');
  return bytes.toString('utf8');
}

/** Why a body is refused that is not JSON, or nests too deep. */
function notJson(bytes: Buffer, facts: number): BackworksError {
  if ((facts & JsonFact.TOO_DEEP) !== 0) {
    const message = `the JSON body nests deeper than ${JSON_DEPTH_MAX} levels`;
    return new BackworksError('BW_REQUEST_INVALID', message);
  }
  let cause: unknown;
  try {
    JSON.parse(utf8Text(bytes));
  } catch (error) {
    if (error instanceof BackworksError) return error;
    cause = error;
  }
  return new BackworksError('BW_REQUEST_INVALID', 'the body is not valid JSON', { cause });
}

/** The body of a response; one that is not what its content-type says is carried as text or base64. */
export function responseBody(body: Buffer | string, encoding: BodyEncoding): DocumentBody {
  if (body.length === 0) return EMPTY_BODY;
  if (encoding === 'json') {
    const facts = checkJson(typeof body === 'string' ? Buffer.from(body) : body);
    if ((facts & JsonFact.VALID) !== 0) {
      return { encoding, json: typeof body === 'string' ? body : textOf(body) };
    }
  }
  if (typeof body !== 'string' && (encoding === 'base64' || !isUtf8(body))) return base64Body(body);
  const text = typeof body === 'string' ? body : body.toString('utf8');
  return { encoding: 'text', json: JSON.stringify(text) };
}

/** The whole document. @param members every other member, without the closing brace */
export function withBody(members: string, { json }: DocumentBody): Text {
  return typeof json === 'string'
    ? `${members},"body":${json}}`
    : new LongText(`${members},"body":`, json, '}');
}

/** A body after a patch, with the bytes it stands for; null when it was removed. */
export interface PatchedBody extends DocumentBody {
  readonly bytes: Buffer | null;
}

/**
 * Applies a patch's `body` and `body_encoding`. Without an encoding, a string stays what it was and
 * anything else is JSON.
 * @returns null when the patch names neither.
 * @throws InvalidAnswer when encoding and body do not fit.
 */
export function patchBody(current: DocumentBody, patch: JsonObject): PatchedBody | null {
  const given = Object.hasOwn(patch, 'body');
  const wanted = Object.hasOwn(patch, 'body_encoding') ? patch.body_encoding! : null;
  if (!given && (wanted === null || wanted === current.encoding)) return null;
  if (given && patch.body === null) return { ...EMPTY_BODY, bytes: null };
  if (wanted !== null && wanted !== 'json' && wanted !== 'text' && wanted !== 'base64') {
    throw new InvalidAnswer('body_encoding is not "json", "text" or "base64"');
  }
  const before = JSON.parse(current.json.toString()) as JsonValue;
  const value = given ? mergePatch(before, patch.body!) : before;
  const encoding = wanted ?? (typeof value === 'string' ? current.encoding : 'json');
  const json = JSON.stringify(value);
  return { encoding, json, bytes: bytesOf(encoding, value, json) };
}

function bytesOf(encoding: BodyEncoding, value: JsonValue, json: string): Buffer {
  if (encoding === 'json') return Buffer.from(json);
  if (encoding === 'base64') return decodeBase64(value);
  if (typeof value !== 'string') throw new InvalidAnswer('a body with encoding "text" is not a string');
  return Buffer.from(value);
}

function textOf(json: Buffer): string | Buffer {
  return json.length < LONG_BYTES_MIN ? json.toString('utf8') : json;
}

function base64Body(bytes: Buffer): DocumentBody {
  return { encoding: 'base64', json: `"${bytes.toString('base64')}"` };
}
