import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually, startServer, type TestServer } from '../fixtures/server.js';

const library = compilePlugin('fetcher');

/** What an upstream server received. */
interface Received {
  method: string;
  path: string;
  headers: Record<string, unknown>;
  body: string;
}

/** An HTTP server on a free port. */
class Upstream {
  readonly received: Received[] = [];
  /** Answers that are still open. */
  readonly open = new Set<ServerResponse>();
  private readonly server: Server;

  constructor(private readonly answer: (path: string, response: ServerResponse) => void) {
    this.server = createServer((request, response) => void this.take(request, response));
  }

  async listen(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as { port: number }).port}`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.open.add(response);
    response.on('close', () => this.open.delete(response));
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { method = '', url: path = '', headers } = request;
    this.received.push({ method, path, headers, body: Buffer.concat(chunks).toString() });
    this.answer(path, response);
  }
}

const BODY_MAX = 4 * 1024 * 1024;

const granted = new Upstream((path, response) => {
  const redirect = (status: number, location: string): void => {
    response.writeHead(status, { location }).end('elsewhere');
  };
  if (path === '/text') response.writeHead(201, { 'x-one': '1', 'set-cookie': ['a=1', 'b=2'] }).end('žluť');
  else if (path === '/bytes') response.end(Buffer.from([0, 255, 128]));
  else if (path === '/gzip')
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('unpacked'));
  else if (path === '/bomb')
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(BODY_MAX + 1)));
  else if (path === '/largest') response.end(Buffer.alloc(BODY_MAX, 1));
  else if (path === '/longer') response.end(Buffer.alloc(BODY_MAX + 1, 'x'));
  else if (path === '/silent') response.writeHead(200).write('begun');
  else if (path === '/cut')
    response.writeHead(200, { 'content-length': 10 }).write('half', () => response.destroy());
  else if (path === '/loop') redirect(302, '/loop');
  else if (path === '/same') redirect(302, '/text');
  else if (path === '/see-other') redirect(303, '/text');
  else if (path === '/keep') redirect(307, '/text');
  else if (path === '/other') redirect(307, `${second.origin}/text`);
  else if (path === '/ungranted') redirect(302, `${ungranted.origin}/secret`);
  else if (path === '/user') redirect(302, `http://user:word@${second.origin.slice('http://'.length)}/`);
  else if (path === '/file') redirect(302, 'file:///etc/passwd');
  else response.end();
});
const second = new Upstream((_, response) => response.end('second'));
const ungranted = new Upstream((_, response) => response.end('secret'));
const upstreams = [granted, second, ungranted];

beforeAll(() => Promise.all(upstreams.map((upstream) => upstream.listen())));
afterAll(() => upstreams.forEach((upstream) => upstream.close()));

const yaml = (more = '', call = '30s', origins = `"${granted.origin}", "${second.origin}"`): string => `
endpoints: { fetch: { path: /fetch, plugin: fetcher } }
plugins:
  fetcher:
    path: ${library}
    timeouts: { call: ${call}, initialize: 20s }
    circuit_breaker: { failures: 1000 }
    permissions: { network: { fetch: [${origins}] } }
    ${more}
`;

interface Answer {
  status?: number;
  headers?: Record<string, unknown>;
  body?: string;
  body_encoding?: string;
  error?: string;
}

/** What http_fetch() returned to the plugin. */
async function fetched(server: TestServer, request: object, headers = {}): Promise<Answer> {
  const response = await fetch(`${server.url}/fetch`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(request),
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { answer: Answer }).answer;
}

describe('with a server that grants two origins', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer(yaml());
  });

  const get = (path: string, more = {}): Promise<Answer> =>
    fetched(server, { url: granted.origin + path, ...more });

  test('a response has its status, headers and text', async () => {
    expect(await get('/text')).toMatchObject({
      status: 201,
      headers: { 'x-one': '1', 'set-cookie': ['a=1', 'b=2'] },
      body: 'žluť',
      body_encoding: 'text',
    });
  });

  test('a thread of the plugin can make a request while a hook runs', async () => {
    expect(await fetched(server, { url: `${granted.origin}/text` }, { 'x-thread': '1' })).toMatchObject({
      status: 201,
    });
  });

  test('bytes that are not text are base64; compressed bodies are unpacked', async () => {
    expect(await get('/bytes')).toMatchObject({ body: 'AP+A', body_encoding: 'base64' });
    const { headers, body } = await get('/gzip');
    expect(body).toBe('unpacked');
    expect(headers).not.toHaveProperty('content-encoding');
    expect(headers).not.toHaveProperty('content-length');
  });

  test('method, headers and every kind of body reach the target', async () => {
    const last = (): Received => granted.received.at(-1)!;
    await get('/', { method: 'put', headers: { 'X-Two': '2', accept: ['a', 'b'] }, body: 'žluť' });
    expect(last()).toMatchObject({
      method: 'PUT',
      path: '/',
      body: 'žluť',
      headers: { 'x-two': '2', accept: 'a, b' },
    });
    await get('/?q=1', { method: 'POST', body: { a: [1, null] } });
    expect(last()).toMatchObject({
      method: 'POST',
      path: '/?q=1',
      body: '{"a":[1,null]}',
      headers: { 'content-type': 'application/json' },
    });
    await get('/', { method: 'POST', body: 'aGk=', body_encoding: 'base64' });
    expect(last().body).toBe('hi');
    await get('/', { method: 'HEAD' });
    expect(last().method).toBe('HEAD');
  });

  test.each([
    [{ url: 'no url' }, 'url: expected an absolute URL'],
    [{}, 'url: expected an absolute URL'],
    [{ url: 'file:///etc/passwd' }, 'url: expected http or https'],
    [{ url: 'http://user:word@127.0.0.1/' }, 'url: a user name or password'],
    [{ url: 'http://127.0.0.1/', method: 'CONNECT' }, 'method: expected one of GET'],
    [{ url: 'http://127.0.0.1/', method: 'GET', body: 'x' }, 'a GET request cannot have a body'],
    [{ url: 'http://127.0.0.1/', headers: { Host: 'a' } }, 'headers: the server sets host itself'],
    [{ url: 'http://127.0.0.1/', headers: { a: 1 } }, 'headers: expected strings'],
    [{ url: 'http://127.0.0.1/', headers: { a: 'b\r\nc: d' } }, 'headers: a name or value'],
    [
      { url: 'http://127.0.0.1/', method: 'POST', body: 'a', body_encoding: 'base64' },
      'body: expected padded',
    ],
    [{ url: 'http://127.0.0.1/', timeout_ms: 0 }, 'timeout_ms: expected a whole number'],
    [{ url: 'http://127.0.0.1/', timeout: 5 }, 'unknown member "timeout"'],
  ])('the request %j is refused with its mistake', async (request, mistake) => {
    expect((await fetched(server, request)).error).toContain(mistake);
  });

  test('an origin that is not granted is refused, and the operator sees it', async () => {
    const refusal = `permissions.network.fetch does not grant ${ungranted.origin}`;
    expect(await fetched(server, { url: `${ungranted.origin}/secret` })).toEqual({ error: refusal });
    expect(await get('/ungranted')).toEqual({ error: refusal });
    expect(ungranted.received).toEqual([]);
    expect(server.plugin('fetcher').refusals).toMatchObject([
      { permission: 'network.fetch', function: 'http_fetch', object: ungranted.origin, times: 2 },
    ]);
    const lines = server.log.filter(({ message }) => message.includes('network.fetch'));
    expect(lines.map(({ message }) => message)).toEqual([
      `fetcher was refused network.fetch ${ungranted.origin} (http_fetch); grant permissions.network.fetch: [${ungranted.origin}] if the plugin needs it`,
    ]);
  });

  test.each(['/user', '/file'])(
    'a redirect to a location that is no plain http URL, %s, is not followed',
    async (path) => {
      expect((await get(path)).error).toContain('not a plain http or https URL');
    },
  );

  test('redirects are followed, up to five', async () => {
    const { length } = granted.received;
    expect(await get('/same')).toMatchObject({ status: 201 });
    await get('/see-other', { method: 'POST', body: 'secret' });
    expect(granted.received.at(-1)).toMatchObject({ method: 'GET', path: '/text', body: '' });
    await get('/keep', { method: 'POST', body: 'kept' });
    expect(granted.received.at(-1)).toMatchObject({ method: 'POST', path: '/text', body: 'kept' });
    expect(granted.received.length).toBe(length + 6);
    expect((await get('/loop')).error).toBe('more than 5 redirects');
  });

  test('a redirect to another granted origin takes no credentials along', async () => {
    const headers = {
      authorization: 'Bearer secret',
      cookie: 'a=1',
      'x-api-key': 'secret',
      accept: 'text/plain',
    };
    expect(await get('/other', { headers })).toMatchObject({ body: 'second' });
    const { headers: sent } = second.received.at(-1)!;
    expect(sent).toMatchObject({ accept: 'text/plain' });
    for (const name of ['authorization', 'cookie', 'x-api-key']) expect(sent).not.toHaveProperty(name);
  });

  test('a body that is too long is an error, also when it is compressed', async () => {
    expect(await get('/largest')).toMatchObject({ status: 200 });
    const error = `the body of the response is longer than ${BODY_MAX} bytes`;
    expect(await get('/longer')).toEqual({ error });
    expect(await get('/bomb')).toEqual({ error });
  });

  test('a time limit ends the request, and failures of the network are errors', async () => {
    expect(await get('/silent', { timeout_ms: 50 })).toEqual({ error: 'no complete response within 50 ms' });
    expect((await get('/cut')).error).toMatch(/^the request to http:\S+ failed: /);
  });

  test('a target that nobody listens on is an error', async () => {
    const gone = new Upstream(() => undefined);
    await gone.listen();
    const { origin } = gone;
    gone.close();
    await server.change(yaml('', '30s', `"${granted.origin}", "${second.origin}", "${origin}"`));
    expect(await fetched(server, { url: origin })).toEqual({
      error: `the request to ${origin} failed: ECONNREFUSED`,
    });
    await server.change(yaml());
  });

  test('the results are counted', async () => {
    const response = await fetch(`${server.adminUrl}/metrics`, {
      headers: { authorization: `Bearer ${server.adminToken}` },
    });
    const text = await response.text();
    for (const result of ['answered', 'failed', 'refused'])
      expect(text).toMatch(
        new RegExp(`^backworks_plugin_fetches_total\\{plugin="fetcher",result="${result}"\\} [1-9]`, 'm'),
      );
  });
});

test('a request ends before the deadline of its call, so that the plugin can answer', async () => {
  const server = await startServer(yaml('', '3s'));
  const { error } = await fetched(server, { url: `${granted.origin}/silent`, timeout_ms: 60_000 });
  const [, limit] = /^no complete response within (\d+) ms$/.exec(error ?? '') ?? [];
  expect(Number(limit)).toBeLessThanOrEqual(2950);
});

test('initialize() can make a request', async () => {
  const server = await startServer(yaml(`config: { request: { url: "${granted.origin}/text" } }`));
  const { body } = await server.get('/fetch');
  expect(body).toMatchObject({ answer: null, initial: { status: 201, body: 'žluť' } });
});

test('the request of a process that ends is cancelled', async () => {
  const server = await startServer(yaml());
  const call = fetched(server, { url: `${granted.origin}/silent` }).catch(() => null);
  const { received, open } = granted;
  const count = received.length;
  await eventually(() => received.length > count || open.size > 0, 'the request', 20_000);
  for (const { pid } of server.plugin('fetcher').processes) process.kill(pid, 'SIGKILL');
  await eventually(() => open.size === 0, 'the end of the request', 20_000);
  await call;
});

test('a grant is an origin in any notation, and takes effect with a reload', async () => {
  const server = await startServer(yaml('', '30s', `"${ungranted.origin}/"`));
  const request = { url: `${granted.origin}/text` };
  expect(await fetched(server, request)).toHaveProperty('error');
  await server.change(yaml('', '30s', `"${granted.origin.replace('http', 'HTTP')}/"`));
  expect(await fetched(server, request)).toMatchObject({ status: 201 });
  expect(await fetched(server, { url: ungranted.origin })).toHaveProperty('error');
});

test('a plugin in the process of the server has no http_fetch()', async () => {
  const server = await startServer(yaml('isolation: in-process\n    trusted: true'));
  expect(await fetched(server, { url: granted.origin })).toBeNull();
});
