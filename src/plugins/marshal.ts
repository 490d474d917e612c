import { isUtf8 } from 'node:buffer';
import type { JsonValue } from '../config/types.js';
import type { Text } from '../long-text.js';
import type { NativeReply } from '../native/plugin.js';
import { checkJson, JsonFact } from './json-check.js';
import { DOCUMENT_DEPTH_MAX } from './json-depth.js';
import { bytesOf, findMember, type JsonMembers, JsonOutline } from './json-outline.js';
import type { BodyEncoding, HeaderMap, Patched, PluginResponse, RequestDecision } from './plugin.js';
import {
  checkEncoding,
  checkResponseParts,
  checkText,
  decodeBase64,
  InvalidAnswer,
} from './response-check.js';

/**
 * Turns plugin answers from untrusted bytes into checked values. No other file reads the answers of plugins. Bodies
 * and patches stay JSON text, so numbers keep their digits. Every function throws InvalidAnswer with the reason when
 * an answer is not usable. `asked` has the document that the plugin answers.
 */

/** The call that a plugin answers. The document is made when it is read. */
export interface Asked {
  readonly sent: Text | undefined;
}

const JSON_TYPE: HeaderMap = { 'content-type': 'application/json' };
/** Up to this size a body is kept as text, because Node then writes headers and body in one piece. */
const TEXT_BODY_BYTES_MAX = 1024;
/** Longer answers are not parsed a second time to explain what is wrong with them. */
const EXPLAINED_BYTES_MAX = 64 * 1024;
/** Levels of members that are read: an endpoint's answer and its headers. */
const RESPONSE_LEVELS = 2;

/**
 * Reads the answer of before_request: `{"response": …}`, `{"request": …}` or the merge patch itself.
 * @param document the patch is applied to this document
 */
export function readDecision(
  reply: NativeReply,
  parsedBytesMax: number,
  document?: Patched,
  _plain = false,
  asked?: Asked,
): RequestDecision | null {
  if (reply === null) return null;
  const answer = readObject(reply, parsedBytesMax, asked);
  const response = memberObject(answer, 'response');
  if (response !== null) return { kind: 'respond', response: readResponse(response) };
  const patch = memberObject(answer, 'request') ?? answer;
  document?.merge(patch);
  return { kind: 'patch', patch };
}

/**
 * Reads the answer of after_response, a merge patch.
 * @param document the patch is applied to this document
 */
export function readPatch(
  reply: NativeReply,
  parsedBytesMax: number,
  document?: Patched,
  _plain = false,
  asked?: Asked,
): JsonMembers | null {
  if (reply === null) return null;
  const answer = readObject(reply, parsedBytesMax, asked);
  const patch = memberObject(answer, 'response') ?? answer;
  document?.merge(patch);
  return patch;
}

/**
 * Reads the answer of process_endpoint. An object with an integer `status` and a `body` is a response. Any other
 * JSON is the body of a 200 and is sent unchanged.
 * @param plain true if the runner says that the answer is such a body. A plugin can forge the runner's message, so
 *   the text is checked to be JSON, but its members are not read. limits.parsed_reply does not apply to it.
 */
export function readEndpointAnswer(
  reply: NativeReply,
  parsedBytesMax: number,
  _document?: Patched,
  plain = false,
  asked?: Asked,
): PluginResponse | null {
  if (reply === null) return null;
  if (plain && typeof reply !== 'string') {
    refuseUnlessJson(reply, checkJson(reply), asked);
    const body = reply.length <= TEXT_BODY_BYTES_MAX ? reply.toString('utf8') : reply;
    return { status: 200, headers: { ...JSON_TYPE }, body, json: body };
  }
  const outline = read(reply, parsedBytesMax, asked, RESPONSE_LEVELS);
  const response = outline.object();
  if (response !== null && isResponse(response)) return readResponse(response);
  const { bytes } = outline;
  const body = bytes.length <= TEXT_BODY_BYTES_MAX ? outline.slice(0, bytes.length) : bytes;
  return { status: 200, headers: { ...JSON_TYPE }, body, json: body };
}

/** Checks that the answer of an operation is JSON. It is passed unchanged to the calling plugin. */
export function readOperationAnswer(
  reply: NativeReply,
  parsedBytesMax: number,
  _document?: Patched,
  _plain = false,
  asked?: Asked,
): NativeReply {
  if (reply !== null) read(reply, parsedBytesMax, asked, 0);
  return reply;
}

/** Whether an endpoint's answer is a response: it has an integer status and a body. */
function isResponse(members: JsonMembers): boolean {
  const { outline } = members;
  if ((outline.facts & RESPONSE_FACTS) !== RESPONSE_FACTS) return false;
  const status = findMember(members, 'status');
  return outline.valueKind(status) === 'number' && Number.isInteger(Number(outline.valueText(status)));
}

const RESPONSE_FACTS = JsonFact.HAS_STATUS | JsonFact.HAS_BODY;

function readResponse(members: JsonMembers): PluginResponse {
  const { outline } = members;
  const status = smallValue(members, 'status') ?? 200;
  const headers = checkResponseParts(status, smallValue(members, 'headers'));
  const index = findMember(members, 'body');
  const kind = index === -1 ? 'null' : outline.valueKind(index);
  if (kind === 'null') return { status: status as number, headers, body: null };
  const encoding = givenEncoding(members);
  if (encoding === 'base64') {
    headers['content-type'] ??= 'application/octet-stream';
    const bytes = decodeBase64(kind === 'string' ? outline.string(index) : null);
    return { status: status as number, headers, body: bytes };
  }
  if (encoding === 'text' && kind !== 'string')
    throw new InvalidAnswer('a body with encoding "text" is not a string');
  const isText = encoding === null ? !isJsonType(headers['content-type']) : encoding === 'text';
  if (kind === 'string' && isText) {
    headers['content-type'] ??= 'text/plain; charset=utf-8';
    return { status: status as number, headers, body: checkText(outline.string(index)) };
  }
  const json = jsonBody(outline, index);
  if (headers['content-type'] !== undefined) return { status: status as number, headers, body: json };
  headers['content-type'] = 'application/json';
  return { status: status as number, headers, body: json, json };
}

/** The unchanged text of the body. */
function jsonBody(outline: JsonOutline, index: number): Buffer | string {
  const start = outline.valueStart(index);
  const end = outline.valueEnd(index);
  const isShort = end - start <= TEXT_BODY_BYTES_MAX;
  return isShort ? outline.slice(start, end) : outline.bytes.subarray(start, end);
}

/** The encoding that an answer names; null if it names none. */
function givenEncoding(members: JsonMembers): BodyEncoding | null {
  return checkEncoding(smallValue(members, 'body_encoding') ?? null);
}

/** Parses a member; undefined if it is missing. Not for values that are passed on, since numbers may lose digits. */
function smallValue(members: JsonMembers, name: string): JsonValue | undefined {
  const index = findMember(members, name);
  return index === -1 ? undefined : (JSON.parse(members.outline.valueText(index)) as JsonValue);
}

function readObject(reply: Buffer | string, bytesMax: number, asked: Asked | undefined): JsonMembers {
  const answer = read(reply, bytesMax, asked).object();
  if (answer === null) throw new InvalidAnswer('answer is not a JSON object');
  return answer;
}

/** The object that is a member's value, or null if the member is missing. @throws InvalidAnswer for other values */
function memberObject(members: JsonMembers, name: string): JsonMembers | null {
  const index = findMember(members, name);
  if (index === -1) return null;
  const object = members.outline.objectAt(index);
  if (object === null) throw new InvalidAnswer(`${name} is not a JSON object`);
  return object;
}

/** @param levels depth of nested objects whose members are needed; default: all */
function read(
  reply: Buffer | string,
  bytesMax: number,
  asked: Asked | undefined,
  levels?: number,
): JsonOutline {
  if (reply.length > bytesMax) {
    throw new InvalidAnswer(
      `the answer has ${reply.length} bytes, but limits.parsed_reply allows only ${bytesMax}`,
    );
  }
  const outline = JsonOutline.of(bytesOf(reply), levels);
  if (typeof outline === 'number') throw unreadable(reply, outline);
  refuseUnlessJson(reply, outline.facts, asked);
  return outline;
}

/** @param facts flags of `JsonFact` for the reply */
function refuseUnlessJson(reply: Buffer | string, facts: number, asked: Asked | undefined): void {
  if ((facts & JsonFact.VALID) === 0) throw unreadable(reply, facts);
  // Programs that copy an object with a member "__proto__" change the prototype of the copy. A plugin may repeat
  // what the client sent: otherwise a client could make plugins fail that return the whole document.
  if ((facts & JsonFact.HAS_PROTOTYPE) !== 0 && !hasPrototype(asked))
    throw new InvalidAnswer('the answer has a member "__proto__"');
}

function hasPrototype(asked: Asked | undefined): boolean {
  const sent = asked?.sent;
  const outline = sent === undefined ? 0 : JsonOutline.of(bytesOf(sent.toString()), 0);
  return typeof outline !== 'number' && (outline.facts & JsonFact.HAS_PROTOTYPE) !== 0;
}

/** The reason the checker refused a text. */
function unreadable(reply: Buffer | string, facts: number): InvalidAnswer {
  if ((facts & JsonFact.TOO_DEEP) !== 0)
    return new InvalidAnswer(`the answer nests too deep: more than ${DOCUMENT_DEPTH_MAX} levels`);
  if (typeof reply !== 'string' && !isUtf8(reply)) return new InvalidAnswer('the answer is not UTF-8');
  if (reply.length > EXPLAINED_BYTES_MAX) return new InvalidAnswer('the answer is not JSON');
  let reason = 'it is not complete';
  try {
    JSON.parse(reply.toString());
  } catch (error) {
    reason = (error as Error).message;
  }
  return new InvalidAnswer(`the answer is not JSON: ${reason.slice(0, 200)}`);
}

function isJsonType(contentType: string | string[] | undefined): boolean {
  return typeof contentType === 'string' && /^application\/(?:[\w.+-]+\+)?json\b/i.test(contentType);
}
