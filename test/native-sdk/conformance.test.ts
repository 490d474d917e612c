/**
 * Tests that the conformance plugin of every SDK must pass. test/fixtures/conformance/README.md specifies the
 * plugin. Run by `npm run test:sdk`.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually, startServer, type TestServer } from '../fixtures/server.js';
import { SDK_LANGUAGES } from './conformance-plugins.js';
import type { SdkLanguage } from './language.js';

const BUILD_MS = 600_000;

/** Listens on a free port. @returns the origin */
async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const json = async (response: Response): Promise<unknown> => response.json();

test.skip.each(SDK_LANGUAGES.filter(({ missing }) => missing !== null))(
  'the SDK of $name is not tested here: $missing',
  () => undefined,
);

describe.each(SDK_LANGUAGES.filter(({ missing }) => missing === null))(
  'the SDK of $name',
  (language: SdkLanguage) => {
    let library = '';
    beforeAll(() => {
      library = language.build();
    }, BUILD_MS);

    describe.each(language.isolations)('isolation: %s', (isolation) => {
      let server: TestServer;
      let upstreamUrl = '';
      /** Answers with the body of the request, and with some of its headers. The path /slow is not answered. */
      const upstream = createServer((request, response) => {
        if (request.url === '/slow') return;
        const { 'x-sent': sent, 'x-many': many, 'content-type': type } = request.headers;
        response.writeHead(201, {
          'x-upstream': `${String(sent)} ${String(many)} ${type ?? 'none'}`,
          'set-cookie': ['a=1', 'b=2'],
        });
        request.pipe(response);
      });

      const configuration = (config: string, more = ''): string => `
endpoints:
  case:   { path: "/c/{case}", methods: [GET, POST], plugin: conformance }
  header: { path: /s/header, response: { status: 200, headers: { x-after: header }, body: { kept: 1.50 } } }
  body:   { path: /s/body, response: { status: 200, headers: { x-after: body }, body: { kept: 1.50 } } }
  error:  { path: /s/error, response: { status: 200, headers: { x-after: error }, body: { kept: 1.50 } } }
  panic:  { path: /s/panic, response: { status: 200, headers: { x-after: panic }, body: { kept: 1.50 } } }
plugins:
  peer: { path: ${compilePlugin('doubles')} }
  conformance:
    path: ${library}
    isolation: ${isolation}
    trusted: true
    critical: true
    timeouts: { call: 5s, initialize: 20s }
    circuit_breaker: { failures: 1000 }
    permissions: { network: { fetch: ["${upstreamUrl}"] } }
    ${more}
    config: ${config}
`;

      const get = async (path: string, headers: Record<string, string> = {}): Promise<Response> =>
        fetch(server.url + path, { headers });

      const post = async (path: string, body: string | Buffer, type: string): Promise<Response> =>
        fetch(server.url + path, { method: 'POST', headers: { 'content-type': type }, body });

      /** Why the calls of the plugin failed, newest last. */
      const reasons = (): string[] =>
        server.log
          .filter(({ fields }) => fields['code'] === 'BW_PLUGIN_FAILED')
          .map(({ message }) => message);

      beforeAll(async () => {
        upstreamUrl = await listen(upstream);
        server = await startServer(configuration('{ greeting: hi, tags: [a, b] }'));
      }, 60_000);
      afterAll(async () => {
        await server.backworks.stop();
        upstream.close();
        upstream.closeAllConnections();
      });

      test('the plugin has the name and version that it states', () => {
        expect(server.plugin('conformance')).toMatchObject({
          version: '1.2.3',
          state: 'ready',
        });
      });

      test('the plugin reads every member of the request document', async () => {
        const response = await get('/c/echo?one=1&many=a&many=b%20c', { 'x-echo': 'heard' });
        expect(response.status).toBe(200);
        expect(await json(response)).toEqual({
          method: 'GET',
          path: '/c/echo',
          route: '/c/{case}',
          case: 'echo',
          query: { one: '1', many: ['a', 'b c'] },
          header: 'heard',
          changed: null,
          seen: null,
          remote: '127.0.0.1',
        });
      });

      test('before_request changes the request', async () => {
        const response = await get('/c/echo', { 'x-before': 'change' });
        expect(await json(response)).toMatchObject({ changed: 'yes', seen: true });
      });

      test('before_request can answer the request', async () => {
        const response = await get('/c/echo', { 'x-before': 'respond' });
        expect(response.status).toBe(418);
        expect(response.headers.get('x-by')).toBe('conformance');
        expect(await response.text()).toBe('short and stout');
      });

      test('JSON bodies arrive as the types the plugin declares', async () => {
        const response = await post('/c/sum', '{"numbers": [1, 2, 39]}', 'application/json');
        expect(await json(response)).toEqual({ sum: 42 });
      });

      test.each(['{"numbers": "none"}', '{"numbers": [1, "2"]}', '[]', '{}'])(
        'a body of the wrong type, %s, fails the call with an error that names the member',
        async (body) => {
          const response = await post('/c/sum', body, 'application/json');
          expect(response.status).toBe(500);
          expect(reasons().at(-1)).toContain('numbers');
        },
      );

      test.each([
        ['text with characters of 1 to 4 bytes', 'text/plain', Buffer.from('aé€🐎'), 10, 0x8e],
        ['bytes that are not text', 'application/octet-stream', Buffer.from([0, 255, 128]), 3, 128],
        ['JSON as it was sent', 'application/json', Buffer.from('{ "a": 1.50 }'), 13, 0x7d],
        ['no body', 'text/plain', Buffer.alloc(0), 0, null],
      ])('the plugin reads the bytes of a body: %s', async (_name, type, body, bytes, last) => {
        expect(await json(await post('/c/length', body, type))).toEqual({ bytes, last });
      });

      test('a text answer is sent as UTF-8', async () => {
        const response = await get('/c/text');
        expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
        expect(await response.text()).toBe('žluťoučký 🐎');
      });

      test('an answer of bytes is sent unchanged', async () => {
        const response = await get('/c/bytes');
        expect(response.headers.get('content-type')).toBe('application/octet-stream');
        expect([...new Uint8Array(await response.arrayBuffer())]).toEqual(
          Array.from({ length: 256 }, (_, i) => i),
        );
      });

      test('a response can have a status, headers and several cookies', async () => {
        const response = await get('/c/created');
        expect(response.status).toBe(201);
        expect(response.headers.get('location')).toBe('/c/1');
        expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
        expect(await json(response)).toEqual({ id: 1 });
      });

      test('a response can have no body', async () => {
        const response = await get('/c/empty');
        expect(response.status).toBe(204);
        expect(await response.text()).toBe('');
      });

      test('a response can be a problem document', async () => {
        const response = await get('/c/problem');
        expect(response.status).toBe(422);
        expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
        expect(await json(response)).toMatchObject({
          status: 422,
          title: 'Not possible',
          detail: 'as asked',
        });
      });

      test('a request that the plugin leaves to others is a 404', async () => {
        expect((await get('/c/pass')).status).toBe(404);
      });

      test('an answer of 512 KiB is sent completely', async () => {
        expect(await (await get('/c/big')).text()).toBe('x'.repeat(1 << 19));
      });

      test('log lines have the level the plugin gave them', async () => {
        await get('/c/log');
        const lines = server.log.filter(({ message }) => / line$/.test(message));
        expect(lines.map(({ level, message }) => `${level}: ${message}`)).toEqual([
          'debug: debug line',
          'info: info line',
          'warn: warn line',
          'error: error line',
        ]);
      });

      test('counters are exported under the name the plugin gave them', async () => {
        await get('/c/metric');
        const response = await fetch(`${server.adminUrl}/metrics`, {
          headers: { authorization: `Bearer ${server.adminToken}` },
        });
        expect(await response.text()).toContain(
          'backworks_plugin_custom_total{plugin="conformance",name="conformance"} 2.5',
        );
      });

      test('the plugin can read the time left and whether the call is cancelled', async () => {
        const { left_ms, cancelled } = (await json(await get('/c/deadline'))) as Record<string, unknown>;
        expect(cancelled).toBe(false);
        expect(left_ms).toBeGreaterThan(0);
        expect(left_ms).toBeLessThanOrEqual(5000);
      });

      test('the configuration is typed and has its defaults', async () => {
        expect(await json(await get('/c/config'))).toEqual({ greeting: 'hi', retries: 3, tags: ['a', 'b'] });
      });

      test('after_response changes headers and body', async () => {
        const header = await get('/s/header');
        expect(header.headers.get('x-after-done')).toBe('yes');
        expect(header.headers.has('x-after')).toBe(false);
        expect(await header.text()).toBe('{"kept":1.50}');
        expect(await (await get('/s/body')).text()).toBe('{"kept":1.50,"added":true}');
      });

      test.each([
        ['before_request', '/c/text', { 'x-before': 'error' }, 'before: as asked'],
        ['process_endpoint', '/c/error', {}, 'endpoint: as asked'],
        ['after_response', '/s/error', {}, 'after: as asked'],
      ])(
        'an error of %s fails the call, and only the log has its message',
        async (_hook, path, headers, reason) => {
          const response = await get(path, headers);
          expect(response.status).toBeGreaterThanOrEqual(500);
          expect(await response.text()).not.toContain('as asked');
          expect(reasons().at(-1)).toContain(reason);
          expect((await get('/c/text')).status).toBe(200);
        },
      );

      const panics: [string, string, Record<string, string>, string][] = [
        ['before_request', '/c/text', { 'x-before': 'panic' }, 'before: boom'],
        ['process_endpoint', '/c/panic', {}, 'endpoint: boom'],
        ['after_response', '/s/panic', {}, 'after: boom'],
      ];

      (language.unwinds ? test : test.skip).each(panics)(
        'a panic in %s fails only that call, and the log has its message and location',
        async (_hook, path, headers, reason) => {
          const response = await get(path, headers);
          expect(response.status).toBeGreaterThanOrEqual(500);
          expect(reasons().at(-1)).toContain(reason);
          expect(reasons().at(-1)).toMatch(language.place);
          expect((await get('/c/text')).status).toBe(200);
          expect(server.plugin('conformance').state).toBe('ready');
        },
      );

      (!language.unwinds && isolation === 'process' ? test : test.skip).each(panics)(
        'a panic in %s ends the process: the log has its message and location, and a new process serves',
        async (_hook, path, headers, reason) => {
          expect((await get(path, headers)).status).toBeGreaterThanOrEqual(500);
          const stderr = server.log.filter(({ fields }) => fields['source'] === 'stderr');
          const line = stderr.find(({ message }) => message.includes(reason))?.message;
          expect(line).toMatch(language.place);
          await eventually(() => server.plugin('conformance').processes.length > 0, 'a new process');
          expect((await get('/c/text')).status).toBe(200);
        },
      );

      test('the plugin can keep values, for a time or until it removes them', async () => {
        expect(await json(await get('/c/kv'))).toEqual({
          before: null,
          after: 'value',
          gone: null,
          lasting: 'value',
          too_large: true,
        });
        let left: unknown;
        do left = ((await json(await get('/c/ttl'))) as { short: unknown }).short;
        while (left !== null);
      });

      const fetched = async (url: string, headers: Record<string, string> = {}): Promise<unknown> =>
        json(await get('/c/http', { 'x-url': url, ...headers }));

      (isolation === 'process' ? test : test.skip).each([
        ['none', {}, 'sdk a, b none', { bytes: 0, last: null, n: null }],
        ['JSON', { 'x-send': 'json' }, 'sdk a, b application/json', { bytes: 8, last: 0x7d, n: 21 }],
        ['text', { 'x-send': 'text' }, /^sdk a, b (none|text\/plain.*)$/, { bytes: 11, last: 0x8e, n: null }],
        ['bytes', { 'x-send': 'bytes' }, 'sdk a, b none', { bytes: 3, last: 128, n: null }],
      ])(
        'the plugin can make an HTTP request to a granted origin, with a body: %s',
        async (_body, headers: Record<string, string>, header, body) => {
          expect(await fetched(`${upstreamUrl}/path`, headers)).toEqual({
            status: 201,
            header: typeof header === 'string' ? header : (expect.stringMatching(header) as unknown),
            cookies: ['a=1', 'b=2'],
            ...body,
          });
        },
      );

      (isolation === 'process' ? test : test.skip)(
        'the plugin reads why an HTTP request got no response',
        async () => {
          expect(await fetched('http://127.0.0.1:1')).toEqual({
            error: expect.stringContaining('does not grant http://127.0.0.1:1') as unknown,
          });
          expect(await fetched(`${upstreamUrl}/slow`, { 'x-timeout': '50' })).toEqual({
            error: 'no complete response within 50 ms',
          });
        },
      );

      (isolation === 'process' ? test : test.skip)(
        'the plugin can call operations of other plugins',
        async () => {
          expect(await json(await get('/c/double'))).toEqual({ answer: { n: 42 } });
        },
      );
    });

    describe('starting', () => {
      const one = (config: string, more = ''): string => `
endpoints: { case: { path: "/c/{case}", plugin: conformance } }
plugins: { conformance: { path: ${library}, critical: true, timeouts: { initialize: 20s }, config: ${config}${more} } }
`;

      test('initialize() refuses with the reason the plugin gives', async () => {
        await expect(startServer(one('{ refuse: not today }'))).rejects.toMatchObject({
          code: 'BW_PLUGIN_INITIALIZE',
          message: expect.stringContaining('not today') as unknown,
        });
      });

      (language.checksConfig ? test : test.skip)(
        'a configuration that does not match the generated schema is refused',
        async () => {
          await expect(startServer(one('{ retries: 11 }'))).rejects.toMatchObject({
            code: 'BW_PLUGIN_CONFIG',
            message: expect.stringContaining('retries') as unknown,
          });
        },
      );

      test('reconfigure() receives a new configuration without a new process', async () => {
        const server = await startServer(one('{ greeting: hi }'));
        const pids = (): (number | undefined)[] =>
          server.plugin('conformance').processes.map(({ pid }) => pid);
        const before = pids();
        await server.change(one('{ greeting: good evening }'));
        expect(await json(await fetch(`${server.url}/c/config`))).toMatchObject({ greeting: 'good evening' });
        expect(pids()).toEqual(before);
        await server.backworks.stop();
      });

      test.each(['degraded', 'unhealthy'])('health_check() can report %s with a reason', async (health) => {
        const server = await startServer(one(`{ health: ${health} }`, ', health: { interval: 100ms }'));
        const reason = (): string => server.plugin('conformance').reason ?? '';
        await eventually(() => /as configured/.test(reason()), 'a health check');
        await server.backworks.stop();
      });
    });
  },
);
