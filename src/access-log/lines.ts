import type { AccessLogConfig } from '../config/types.js';
import type { AccessRecord } from './record.js';

/**
 * The longest line in bytes: a pipe takes this much in one piece (PIPE_BUF), so lines of several processes never mix.
 */
export const LINE_BYTES_MAX = 4096;
/** Characters of one value that are written. */
const VALUE_MAX = 1024;
/** The same when the line would be too long. An escaped character takes up to six bytes. */
const SHORT_VALUE_MAX = 96;

/** Makes the line of a request, with its line end. The line is ASCII: one byte for each character. */
export type LineFormat = (record: AccessRecord) => string;

/** @returns null when there is no access log */
export function lineFormat({ format, query }: AccessLogConfig): LineFormat | null {
  if (format === 'off') return null;
  const write = format === 'json' ? jsonLine : combinedLine;
  const withQuery = query === 'keep';
  return (record) => {
    const now = Date.now();
    const line = write(record, now, withQuery, VALUE_MAX);
    return line.length <= LINE_BYTES_MAX ? line : write(record, now, withQuery, SHORT_VALUE_MAX);
  };
}

function jsonLine(record: AccessRecord, now: number, withQuery: boolean, max: number): string {
  const {
    requestId,
    traceId,
    client,
    method,
    path,
    status,
    responseBytes,
    endpointName,
    plugin,
    isComplete,
  } = record;
  const seen = read(record.rawHeaders);
  return (
    `{"time":"${isoTime(now)}","request_id":${json(requestId, max)}` +
    `${traceId === null ? '' : `,"trace_id":"${traceId}"`},"client":${json(client, max)}` +
    `,"method":"${method}","path":${json(path, max)}${withQuery ? `,"query":${json(record.query, max)}` : ''}` +
    `,"protocol":"${record.protocol}","status":${status},"bytes":${responseBytes}` +
    `,"duration_ms":${milliseconds(record.durationMs)},"complete":${isComplete}` +
    `,"endpoint":${json(endpointName, max)},"plugin":${json(plugin, max)}` +
    `,"user_agent":${json(seen.userAgent, max)},"referer":${json(seen.referer, max)}}\n`
  );
}

/** The combined log format of Apache httpd and nginx. */
function combinedLine(record: AccessRecord, now: number, withQuery: boolean, max: number): string {
  const { client, method, path, query, protocol, status, responseBytes } = record;
  const seen = read(record.rawHeaders);
  const target = withQuery && query !== '' ? `${quoted(path, max)}?${quoted(query, max)}` : quoted(path, max);
  return (
    `${client ?? '-'} - - [${commonTime(now)}] "${method} ${target} ${protocol}" ${status} ${responseBytes}` +
    ` "${quoted(seen.referer, max)}" "${quoted(seen.userAgent, max)}"\n`
  );
}

interface SeenHeaders {
  readonly userAgent: string | null;
  readonly referer: string | null;
}

function read(raw: readonly string[]): SeenHeaders {
  let userAgent: string | null = null;
  let referer: string | null = null;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!;
    if (name.length === 10 && name.toLowerCase() === 'user-agent') userAgent ??= raw[i + 1]!;
    else if (name.length === 7 && name.toLowerCase() === 'referer') referer ??= raw[i + 1]!;
  }
  return { userAgent, referer };
}

/** Characters that mean nothing in a quoted text. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const NOT_ASCII = /[^\x20-\x7e]/g;

/** A JSON string, or null. A client cannot end the string or the line: everything beyond ASCII is escaped too. */
function json(text: string | null, max: number): string {
  if (text === null) return 'null';
  const shown = clipped(text, max);
  if (PLAIN.test(shown)) return `"${shown}"`;
  return JSON.stringify(shown).replace(NOT_ASCII, (character) => `\\u${hex(character, 4)}`);
}

/** The inside of a quoted value; "-" for none. A client cannot end the value or the line. */
function quoted(text: string | null, max: number): string {
  if (text === null || text === '') return '-';
  const shown = clipped(text, max);
  if (PLAIN.test(shown)) return shown;
  return shown.replace(/["\\]|[^\x20-\x7e]/g, (character) =>
    character <= '\xff' ? `\\x${hex(character, 2)}` : `\\u${hex(character, 4)}`,
  );
}

function hex(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, '0');
}

function clipped(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max)}...`;
}

const THREE_DIGITS = Array.from({ length: 1000 }, (_, number) => String(number).padStart(3, '0'));

/** With three decimals. Integers become text several times faster than other numbers. */
function milliseconds(duration: number): string {
  const microseconds = Math.round(duration * 1000);
  const whole = Math.floor(microseconds / 1000);
  return `${whole}.${THREE_DIGITS[microseconds - whole * 1000]!}`;
}

let isoSecond = -1;
let isoPrefix = '';

/** ISO 8601 with milliseconds, in UTC. */
function isoTime(now: number): string {
  const second = Math.floor(now / 1000);
  if (second !== isoSecond) {
    isoSecond = second;
    isoPrefix = new Date(now).toISOString().slice(0, -4);
  }
  return `${isoPrefix}${THREE_DIGITS[now - second * 1000]!}Z`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
let commonSecond = -1;
let common = '';

/** `10/Oct/2026:13:55:36 +0000` */
function commonTime(now: number): string {
  const second = Math.floor(now / 1000);
  if (second !== commonSecond) {
    commonSecond = second;
    const [date = '', time = ''] = new Date(now).toISOString().split(/[T.]/);
    const [year, month, day] = date.split('-');
    common = `${day}/${MONTHS[Number(month) - 1]}/${year}:${time} +0000`;
  }
  return common;
}
