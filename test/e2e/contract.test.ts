import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { startServer, type TestServer } from '../fixtures/server.js';

const FIXTURES = ['echo', 'counter', 'config_echo', 'responses', 'tag', 'host_services', 'owned_strings'];

/** The ABI behaves the same whether a plugin runs in its own process or in the server. */
describe.each(['process', 'in-process'])('isolation: %s', (isolation) => {
  let server: TestServer;
  /** A server whose plugins answer NULL for most paths. */
  let quiet: TestServer;

  beforeAll(async () => {
    const path = Object.fromEntries(FIXTURES.map((name) => [name, compilePlugin(name)]));
    const entry = (fixture: string, more = ''): string =>
      `{ path: ${path[fixture]}, isolation: ${isolation}, trusted: true, timeouts: { call: 10s } ${more} }`;
    server = await startServer(`
endpoints:
  echo:    { path: "/echo/{city}", plugin: echo }
  first:   { path: /first, plugin: first }
  second:  { path: /second, plugin: second }
  config:  { path: /config, plugin: config }
  host:    { path: /host, plugin: host }
  owned:   { path: /owned, plugin: owned }
  static:  { path: "/stop-at-b", response: { status: 200, body: never } }
plugins:
  c: ${entry('tag', ', config: { tag: c }, priority: 30')}
  a: ${entry('tag', ', config: { tag: a }, priority: 10')}
  b: ${entry('tag', ', config: { tag: b }, priority: 20')}
  echo: ${entry('echo')}
  first: ${entry('counter')}
  second: ${entry('counter')}
  config: ${entry('config_echo', ', config: { city: Zürich, nested: { list: [1, true, null] } }')}
  host: ${entry('host_services')}
  owned: ${entry('owned_strings')}
`);
    quiet = await startServer(`
plugins:
  a: ${entry('tag', ', config: { tag: a }')}
  responses: ${entry('responses')}
`);
  });

  afterAll(() => Promise.all([server.backworks.stop(), quiet.backworks.stop()]));

  test('the request document has every member, and hooks run in order of priority', async () => {
    const response = await fetch(`${server.url}/echo/S%C3%A3o%20Paulo?units=metric&tag=x&tag=y`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'test-1', 'x-many': 'one' },
      body: '{"n": 1.50, "deep": {"a": [null]}}',
    });
    const document = (await response.json()) as Record<string, unknown>;
    expect(document).toMatchObject({
      id: 'test-1',
      method: 'POST',
      path: '/echo/S%C3%A3o%20Paulo',
      route: '/echo/{city}',
      params: { city: 'São Paulo' },
      query: { units: 'metric', tag: ['x', 'y'] },
      headers: { 'content-type': 'application/json', 'x-many': 'one' },
      body: { n: 1.5, deep: { a: [null] } },
      body_encoding: 'json',
      context: { a: true, b: true, c: true, echo: true, last: 'c' },
    });
    expect(response.headers.get('x-request-id')).toBe('test-1');
  });

  test.each([100, 4_000, 5_000, 20_000, 300_000])(
    'a JSON body of %i characters arrives as it was sent, in the document that hooks patched',
    async (length) => {
      const body = `{ "list": [1.50, "${'ü'.repeat(length)}"], "end": {} }`;
      const response = await fetch(`${server.url}/echo/x`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      const document = await response.text();
      expect(document.endsWith(`"body_encoding":"json","body":${body}}`)).toBe(true);
      expect(JSON.parse(document)).toMatchObject({ context: { last: 'c' }, body: { end: {} } });
    },
  );

  test('after_response runs in reverse order', async () => {
    const { headers } = await server.get('/first');
    expect(headers.get('x-last')).toBe('a');
    expect(['a', 'b', 'c'].map((tag) => headers.get(`x-${tag}`))).toEqual(['seen', 'seen', 'seen']);
  });

  test('an answer in before_request skips the endpoint and all later plugins', async () => {
    const { status, body, headers } = await server.get('/stop-at-b');
    expect(status).toBe(403);
    expect(body).toEqual({ by: 'b' });
    expect(headers.get('x-last')).toBe('a');
    expect(headers.get('x-c')).toBeNull();
  });

  test('two entries for one library have separate state', async () => {
    const before = (await server.get('/second')).body as { count: number };
    for (let i = 0; i < 3; i += 1) await server.get('/first');
    expect(((await server.get('/second')).body as { count: number }).count).toBe(before.count + 1);
  });

  test('initialize() receives the config block as JSON', async () => {
    expect((await server.get('/config')).body).toEqual({ city: 'Zürich', nested: { list: [1, true, null] } });
  });

  test('the host table offers log, metric, deadline and cancelled; other members are NULL', async () => {
    const { body } = await server.get('/host');
    const { left, ...rest } = body as { left: number };
    expect(rest).toEqual({ cancelled: 0, kv: true });
    expect(left).toBeGreaterThan(5000);
    expect(left).toBeLessThanOrEqual(10_000);
    expect(server.log).toContainEqual({
      level: 'warn',
      fields: expect.objectContaining({ plugin: 'host', source: 'log' }),
      message: 'said through the host',
    });
    const metrics = await fetch(`${server.adminUrl}/metrics`, {
      headers: { authorization: `Bearer ${server.adminToken}` },
    });
    expect(await metrics.text()).toMatch(
      /backworks_plugin_custom_total\{plugin="host",name="greetings"\} \d+/,
    );
  });

  test('every string is passed to free_string exactly once', async () => {
    for (let i = 0; i < 50; i += 1) expect((await server.get('/owned')).body).toEqual({ outstanding: 0 });
  });

  test.each([
    ['/whole', 418, { short: true }, 'application/json'],
    ['/text', 200, 'plain words', 'text/plain; charset=utf-8'],
    ['/list', 200, [1, 2, 3], 'application/json'],
    ['/unicode', 200, { grüße: 'ü ✓ 🌦' }, 'application/json'],
  ])('process_endpoint may answer like %s', async (path, status, body, type) => {
    const response = await quiet.get(path);
    expect([response.status, response.body, response.headers.get('content-type')]).toEqual([
      status,
      body,
      type,
    ]);
  });

  test('a base64 body is sent decoded', async () => {
    const response = await fetch(`${quiet.url}/binary`);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from([0, 1, 2, 255]));
  });

  test.each(['/bad-status', '/bad-header', '/empty'])(
    '%s is a bad response, reported when no other plugin answers',
    async (path) => {
      const { status, body } = await quiet.get(path);
      expect({ status, body }).toMatchObject({ status: 502, body: { code: 'BW_PLUGIN_BAD_RESPONSE' } });
      expect(quiet.log).toContainEqual({
        level: 'warn',
        fields: expect.objectContaining({ plugin: 'responses', code: 'BW_PLUGIN_BAD_RESPONSE' }),
        message: expect.stringContaining('process_endpoint'),
      });
    },
  );

  test('NULL from every plugin is a 404 problem document, which hooks see', async () => {
    const { status, body, headers } = await quiet.get('/nobody');
    expect(status).toBe(404);
    expect(body).toMatchObject({ code: 'BW_ROUTE_NOT_FOUND', status: 404, instance: '/nobody' });
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(headers.get('x-last')).toBe('a');
  });
});

test('an answer that is not UTF-8 is a bad response (isolation: process)', async () => {
  const server = await startServer(`
endpoints: { it: { path: /not-utf8, plugin: responses } }
plugins: { responses: { path: ${compilePlugin('responses')} } }
`);
  expect(await server.get('/not-utf8')).toMatchObject({
    status: 502,
    body: { code: 'BW_PLUGIN_BAD_RESPONSE' },
  });
});
