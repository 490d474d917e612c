import { readFile, stat } from 'node:fs/promises';
import { BackworksError } from '../errors.js';
import type { RecordedRequest } from './recorded-request.js';

const FILE_BYTES_MAX = 64 * 1024 * 1024;
const REQUESTS_MAX = 10_000;

type Members = Readonly<Record<string, unknown>>;

/**
 * Reads recorded requests from a HAR file, as browsers and proxies save it, or from JSON Lines with one request
 * `{"method", "path", "headers", "body"}` in each line. Only `path` is required.
 * @throws BackworksError BW_PROFILE_REQUESTS with the file and the line or entry that is not usable
 */
export async function readRecording(path: string): Promise<RecordedRequest[]> {
  const requests = parseRecording(await read(path), path);
  if (requests.length === 0) throw unusable(path, 'contains no requests');
  if (requests.length <= REQUESTS_MAX) return requests;
  throw unusable(path, `contains ${requests.length} requests; at most ${REQUESTS_MAX} are allowed`);
}

async function read(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > FILE_BYTES_MAX) throw unusable(path, `is longer than ${FILE_BYTES_MAX} bytes`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof BackworksError) throw error;
    throw unusable(path, `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
}

/**
 * @param shown the name of the text in errors
 * @internal exported for its test
 */
export function parseRecording(text: string, shown: string): RecordedRequest[] {
  const whole = parse(text);
  if (isMembers(whole) && isMembers(whole['log'])) return harRequests(whole['log'], shown);
  return text
    .split('\n')
    .map((line, index) => [line.trim(), `${shown}:${index + 1}`] as const)
    .filter(([line]) => line !== '')
    .map(([line, where]) => lineRequest(parse(line), where));
}

function harRequests({ entries }: Members, shown: string): RecordedRequest[] {
  if (!Array.isArray(entries)) throw unusable(shown, 'has no log.entries, which every HAR file has');
  return entries.map((entry: unknown, index) => {
    const where = `${shown}: log.entries[${index}]`;
    const request = isMembers(entry) ? entry['request'] : undefined;
    if (!isMembers(request)) throw unusable(where, 'has no request');
    const { method, url, headers, postData } = request;
    const text = isMembers(postData) ? postData['text'] : undefined;
    return {
      method: methodOf(method, where),
      target: targetOf(url, where),
      headers: Array.isArray(headers) ? headers.map((header) => harHeader(header, where)) : [],
      body: typeof text === 'string' ? text : null,
    };
  });
}

function harHeader(header: unknown, where: string): [string, string] {
  const { name, value } = isMembers(header) ? header : {};
  if (typeof name === 'string' && typeof value === 'string') return [name, value];
  throw unusable(where, 'has a header without a name or value');
}

function lineRequest(line: unknown, where: string): RecordedRequest {
  if (!isMembers(line)) throw unusable(where, 'is not a JSON object');
  const { method = 'GET', path, headers = {}, body = null } = line;
  if (!isMembers(headers)) throw unusable(where, 'has headers that are not an object');
  const isJson = typeof body === 'object' && body !== null;
  const given = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
  const named = given.some(([name]) => name.toLowerCase() === 'content-type');
  return {
    method: methodOf(method, where),
    target: targetOf(path, where),
    headers: isJson && !named ? [...given, ['content-type', 'application/json']] : given,
    body: body === null || typeof body === 'string' ? body : JSON.stringify(body),
  };
}

function methodOf(method: unknown, where: string): string {
  if (typeof method === 'string' && /^[A-Z]{1,20}$/.test(method)) return method;
  throw unusable(where, 'has a method that is not an upper-case word');
}

/** The path and query of a URL or of a path. */
function targetOf(url: unknown, where: string): string {
  const text = typeof url === 'string' ? url : '';
  const target = text.startsWith('/') ? text : text.replace(/^https?:\/\/[^/?#]*/i, '');
  const whole = target.startsWith('?') || (target === '' && text !== '') ? `/${target}` : target;
  if (/^\/[^\s#]*$/.test(whole.split('#', 1)[0] ?? '')) return whole.split('#', 1)[0] as string;
  throw unusable(where, 'has no path that starts with "/"');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unusable(where: string, what: string): BackworksError {
  return new BackworksError('BW_PROFILE_REQUESTS', `${where} ${what}`, {
    hint: 'give a HAR file, or JSON Lines such as {"method": "GET", "path": "/weather/Paris"}',
  });
}
