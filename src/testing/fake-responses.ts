import type { HttpFetch } from '../services/plugin-fetch.js';
import type { TestBody } from './documents.js';

/** An HTTP request that the plugin made with http_fetch(). */
export interface TestFetch {
  readonly method: string;
  readonly url: string;
  /** Names in lower case; several values of one name are joined. */
  readonly headers: Readonly<Record<string, string>>;
  /** A JSON value when the content type says so, a text, or a Buffer of bytes that are no text; null for none. */
  readonly body: TestBody;
}

/** A response in place of a server's. Everything has a default: a 200 without a body. */
export interface FakeResponse {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** A JSON value, a string for a text, or a Buffer for bytes. Sets a fitting `content-type` unless `headers` has one. */
  readonly body?: TestBody;
}

/**
 * Answers requests to one URL: a response, a function that makes one, or a list with an answer for each request, of which
 * the last one is given again and again. A function that throws makes the request fail.
 */
export type FakeFetch = FakeAnswer | readonly FakeAnswer[];

/** One answer: a response, or a function that makes it of the request. */
export type FakeAnswer = FakeResponse | ((request: TestFetch) => FakeResponse | Promise<FakeResponse>);

/** Statuses whose responses have no body. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/** Answers the HTTP requests of a plugin as a test says, and records them. Nothing goes to the network. */
export class FakeResponses {
  readonly requests: TestFetch[] = [];
  private readonly asked = new Map<string, number>();

  /** @param fakes by URL, with the query */
  constructor(private readonly fakes: Readonly<Record<string, FakeFetch>>) {}

  /** In place of fetch(). */
  readonly fetch: HttpFetch = async (url, init) => {
    const request = new Request(url, { ...init, signal: null });
    const recorded = await recordedOf(request);
    this.requests.push(recorded);
    const answer = this.answerOf(url);
    if (answer === undefined) throw new Error('the test has no response for this URL');
    const made = typeof answer === 'function' ? answer(recorded) : answer;
    return responseOf(await Promise.race([made, ended(init.signal)]));
  };

  private answerOf(url: string): FakeAnswer | undefined {
    const fake = Object.hasOwn(this.fakes, url) ? this.fakes[url] : undefined;
    if (!isList(fake)) return fake;
    const asked = this.asked.get(url) ?? 0;
    this.asked.set(url, asked + 1);
    return fake[Math.min(asked, fake.length - 1)];
  }
}

function isList(fake: FakeFetch | undefined): fake is readonly FakeAnswer[] {
  return Array.isArray(fake);
}

/** Rejects when the server gives up the request. */
function ended(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void => reject(new Error('the request was given up'));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

async function recordedOf(request: Request): Promise<TestFetch> {
  const { method, url } = request;
  const bytes = Buffer.from(await request.arrayBuffer());
  const headers = Object.fromEntries(request.headers);
  return { method, url, headers, body: request.body === null ? null : bodyIn(bytes, headers) };
}

function bodyIn(bytes: Buffer, headers: TestFetch['headers']): TestBody {
  const text = bytes.toString();
  if (!Buffer.from(text).equals(bytes)) return bytes;
  if (!/[/+]json\b/.test(headers['content-type'] ?? '')) return text;
  try {
    return JSON.parse(text) as TestBody;
  } catch {
    return text;
  }
}

function responseOf({ status = 200, headers = {}, body = null }: FakeResponse): Response {
  const all = new Headers();
  for (const [name, values] of Object.entries(headers))
    for (const value of [values].flat()) all.append(name, value);
  if (body === null || BODILESS.has(status)) return new Response(null, { status, headers: all });
  const isBytes = Buffer.isBuffer(body);
  const type = isBytes ? 'application/octet-stream' : 'application/json';
  if (!all.has('content-type'))
    all.set('content-type', typeof body === 'string' ? 'text/plain; charset=utf-8' : type);
  const content = isBytes || typeof body === 'string' ? body : JSON.stringify(body);
  return new Response(typeof content === 'string' ? content : new Uint8Array(content), {
    status,
    headers: all,
  });
}
