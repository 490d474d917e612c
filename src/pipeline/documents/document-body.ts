import { isUtf8 } from 'node:buffer';
import { BackworksError } from '../../errors.js';
import { LongText, type Text } from '../../long-text.js';
import type { BodyEncoding } from '../../plugins/plugin.js';
import { checkEncoding, checkText, decodeBase64, InvalidAnswer } from '../../plugins/response-check.js';
import { checkJson, JsonFact } from '../../plugins/json-check.js';
import { JSON_DEPTH_MAX } from '../../plugins/json-depth.js';
import { checkForPatch, type ListedJson, unquoted } from '../../plugins/json-outline.js';
import { isRewritten } from './validators.js';
import { type JsonText, jsonText, LONG_BYTES_MIN } from './merge-patch.js';
import type { DocumentPatch } from './document-patch.js';

/** A body in the form in which a document carries it. */
export interface DocumentBody {
  readonly encoding: BodyEncoding;
  /**
   * JSON text of the document's `body` member, as UTF-8 bytes when it is long. A JSON body appears here
   * exactly as it was sent.
   */
  readonly json: JsonText;
  /** The members of a long JSON body that came in: a patch of it does not read it again. */
  readonly listed?: ListedJson | null;
}

export const EMPTY_BODY: DocumentBody = { encoding: 'text', json: 'null' };

/**
 * The body of a request that the endpoint of a plugin reads.
 * @throws BackworksError BW_REQUEST_INVALID when the body does not match its content-type.
 */
export function checkedBody(bytes: Buffer, encoding: BodyEncoding): DocumentBody {
  if (bytes.length === 0) return EMPTY_BODY;
  if (encoding === 'base64') return base64Body(bytes);
  if (encoding === 'text') return { encoding, json: JSON.stringify(utf8Text(bytes)) };
  const { facts, listed } = check(bytes);
  if ((facts & JsonFact.VALID) === 0) throw notJson(bytes, facts);
  return { encoding, json: jsonText(bytes), listed };
}

/** Reads a body once. Short ones are kept as text, whose members are listed when they are needed. */
function check(bytes: Buffer): ReturnType<typeof checkForPatch> {
  if (bytes.length < LONG_BYTES_MIN) return { facts: checkJson(bytes), listed: null };
  return checkForPatch(bytes);
}

function utf8Text(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new BackworksError('BW_REQUEST_INVALID', 'the body is not valid UTF-8');
  return bytes.toString('utf8');
}

/** The error for a body that is not JSON or nests too deep. */
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

/** A body that passes through hooks. One that does not match its content-type is carried as text or base64. */
export function passingBody(body: Buffer | string, encoding: BodyEncoding): DocumentBody {
  if (body.length === 0) return EMPTY_BODY;
  if (encoding === 'json') {
    const { facts, listed } = check(typeof body === 'string' ? Buffer.from(body) : body);
    if ((facts & JsonFact.VALID) !== 0) {
      return { encoding, json: typeof body === 'string' ? body : jsonText(body), listed };
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

/** A body after a patch, with the bytes that will be sent; null when the patch removed it. */
export interface PatchedBody extends DocumentBody {
  readonly bytes: Buffer | null;
}

/**
 * Applies a patch's `body` and `body_encoding`. Without an encoding, a string keeps the current encoding and
 * any other value is JSON. The parts of a JSON body that the patch does not name stay exactly as written.
 * @returns null when the patch names neither.
 * @throws InvalidAnswer when encoding and body do not fit.
 */
export function patchBody(current: DocumentBody, patch: DocumentPatch): PatchedBody | null {
  const given = patch.has('body');
  const wanted = checkEncoding(patch.value('body_encoding') ?? null);
  if (!given && (wanted === null || wanted === current.encoding)) return null;
  if (given && patch.isNull('body')) return { ...EMPTY_BODY, bytes: null };
  const json = given ? patch.applied('body', current.json, current.listed) : current.json;
  const encoding = wanted ?? (isString(json) ? current.encoding : 'json');
  return { encoding, json, bytes: bytesOf(encoding, json) };
}

/**
 * Checks the patch of a plugin that gets no bodies. The patch may repeat the body, as a plugin that returns the
 * whole document does.
 * @param bytes of the body; null when there is none here
 * @throws InvalidAnswer when the patch changes the body
 */
export function refuseBody(
  current: DocumentBody,
  bytes: Buffer | string | null,
  patch: DocumentPatch,
  direction: 'request' | 'response',
): void {
  const patched = patchBody(current, patch);
  if (patched === null || !isRewritten(bytes, patched.bytes)) return;
  throw new InvalidAnswer(`it changes the body of the ${direction}, and body.${direction} is none`);
}

function bytesOf(encoding: BodyEncoding, json: JsonText): Buffer {
  if (encoding === 'json') return typeof json === 'string' ? Buffer.from(json) : json;
  const value = isString(json) ? unquoted(json.toString().trim()) : null;
  if (encoding === 'base64') return decodeBase64(value);
  if (value === null) throw new InvalidAnswer('a body with encoding "text" is not a string');
  return Buffer.from(checkText(value));
}

/** Whether a JSON text is a string. */
function isString(json: JsonText): boolean {
  if (typeof json === 'string') return json.trimStart().startsWith('"');
  return json.find((byte) => byte > SPACE) === QUOTE;
}

const SPACE = 0x20;
const QUOTE = 0x22;

function base64Body(bytes: Buffer): DocumentBody {
  return { encoding: 'base64', json: `"${bytes.toString('base64')}"` };
}
