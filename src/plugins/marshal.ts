import { isUtf8 } from 'node:buffer';
import type { NativeReply } from '../native/plugin.js';
import { isTooDeep, JSON_DEPTH_MAX } from './json-depth.js';
import type { HeaderMap, JsonObject, Patched, PluginResponse, RequestDecision } from './plugin.js';
import { checkResponseParts, decodeBase64, InvalidAnswer } from './response-check.js';

/**
 * Plugin answers, from untrusted bytes to checked values. The only place that parses what a plugin
 * returned. Every function throws InvalidAnswer with the reason when the answer cannot be used.
 */

const JSON_TYPE: HeaderMap = { 'content-type': 'application/json' };
/** Up to this size a body is cheaper as text, which Node writes in one piece with the headers. */
const TEXT_BODY_BYTES_MAX = 1024;
/** Perhaps a member "__proto__", plain or with any of its letters escaped; rare enough to be looked at closely. */
const MAYBE_PROTOTYPE = /__proto__|\\u00[567]/i;

/**
 * The answer of before_request: `{"response": …}`, `{"request": …}` or the merge patch itself.
 * @param document takes the patch
 */
export function readDecision(
  reply: NativeReply,
  parsedBytesMax: number,
  document?: Patched,
): RequestDecision | null {
  if (reply === null) return null;
  const answer = parseObject(reply, parsedBytesMax);
  if ('response' in answer) {
    return { kind: 'respond', response: readResponse(asObject(answer.response, 'response')) };
  }
  const patch = 'request' in answer ? asObject(answer.request, 'request') : answer;
  document?.merge(patch);
  return { kind: 'patch', patch };
}

/**
 * The answer of after_response as a merge patch.
 * @param document takes it
 */
export function readPatch(reply: NativeReply, parsedBytesMax: number, document?: Patched): JsonObject | null {
  if (reply === null) return null;
  const answer = parseObject(reply, parsedBytesMax);
  const patch = 'response' in answer ? asObject(answer.response, 'response') : answer;
  document?.merge(patch);
  return patch;
}

/**
 * The answer of process_endpoint: an object with an integer `status` and a `body` is a response, any
 * other JSON the body of a 200, whose text then goes out as it came.
 * @param plain the runner has found it to be the latter. It is looked at no more; whoever is to see it
 *   in a document checks it himself, as a plugin can say so in its runner's name.
 */
export function readEndpointAnswer(
  reply: NativeReply,
  parsedBytesMax: number,
  _document?: Patched,
  plain = false,
): PluginResponse | null {
  if (reply === null) return null;
  if (plain && typeof reply !== 'string') {
    const body = reply.length <= TEXT_BODY_BYTES_MAX ? reply.toString('utf8') : reply;
    return { status: 200, headers: { ...JSON_TYPE }, body };
  }
  const json = readText(reply, parsedBytesMax);
  const answer = parse(json);
  if (isObject(answer) && Number.isInteger(answer.status) && 'body' in answer) return readResponse(answer);
  const body = reply.length <= TEXT_BODY_BYTES_MAX ? json : reply;
  return { status: 200, headers: { ...JSON_TYPE }, body, json };
}

/** The answer of an operation, which goes to another plugin as it came once it is known to be JSON. */
export function readOperationAnswer(reply: NativeReply, parsedBytesMax: number): NativeReply {
  if (reply !== null) parse(readText(reply, parsedBytesMax));
  return reply;
}

function readResponse(parts: JsonObject): PluginResponse {
  const status = parts.status ?? 200;
  const headers = checkResponseParts(status, parts.headers);
  const body = parts.body ?? null;
  if (body === null) return { status: status as number, headers, body: null };
  if (parts.body_encoding === 'base64') {
    headers['content-type'] ??= 'application/octet-stream';
    return { status: status as number, headers, body: decodeBase64(body) };
  }
  if (typeof body === 'string' && !isJsonType(headers['content-type'])) {
    headers['content-type'] ??= 'text/plain; charset=utf-8';
    return { status: status as number, headers, body };
  }
  headers['content-type'] ??= 'application/json';
  return { status: status as number, headers, body: JSON.stringify(body) };
}

function parseObject(reply: Buffer | string, bytesMax: number): JsonObject {
  return asObject(parse(readText(reply, bytesMax)), 'answer');
}

function readText(reply: Buffer | string, bytesMax: number): string {
  const bytes = reply.length;
  if (bytes > bytesMax) {
    throw new InvalidAnswer(`the answer has ${bytes} bytes, limits.parsed_reply allows ${bytesMax}`);
  }
  if (typeof reply !== 'string' && !isUtf8(reply)) throw new InvalidAnswer('the answer is not UTF-8');
  return typeof reply === 'string' ? reply : reply.toString('utf8');
}

function parse(text: string): unknown {
  if (isTooDeep(text))
    throw new InvalidAnswer(`the answer nests too deep: more than ${JSON_DEPTH_MAX} levels`);
  try {
    return JSON.parse(text, MAYBE_PROTOTYPE.test(text) ? refusePrototype : undefined) as unknown;
  } catch (cause) {
    if (cause instanceof InvalidAnswer) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InvalidAnswer(`the answer is not JSON: ${reason.slice(0, 200)}`);
  }
}

/** A member of that name would become a prototype as soon as somebody copies the object. */
function refusePrototype(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new InvalidAnswer('the answer has a member "__proto__"');
  return value;
}

function asObject(value: unknown, what: string): JsonObject {
  if (isObject(value)) return value;
  throw new InvalidAnswer(`${what} is not a JSON object`);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isJsonType(contentType: string | string[] | undefined): boolean {
  return typeof contentType === 'string' && /^application\/(?:[\w.+-]+\+)?json\b/i.test(contentType);
}
