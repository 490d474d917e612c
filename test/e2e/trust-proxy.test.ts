/** Who the client is when proxies stand in front of the server. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseForwarded } from '../../dist/http/forwarded-header.js';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { startServer, type TestServer } from '../fixtures/server.js';

ownCache();
let target: Server;
let targetUrl = '';
beforeAll(async () => {
  target = createServer((request, response) => void response.end(JSON.stringify(request.headers)));
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  targetUrl = `http://127.0.0.1:${(target.address() as AddressInfo).port}`;
});
afterAll(() => void target.close());

let server: TestServer;
afterEach(() => server.backworks.stop());

const configuration = (
  trust: string,
  host = '127.0.0.1',
): string => `server: { port: 0, host: "${host}"${trust} }
endpoints:
  echo: { path: /echo, plugin: echo }
  up: { path: /up, proxy: { target: "${targetUrl}" } }
plugins: { echo: { path: ${compilePlugin('echo')} } }
`;
const TRUSTED = ', trust_proxy: { addresses: ["127.0.0.0/8", 10.0.0.0/8, "fd00::1"] }';

async function get(path: string, headers: [string, string][]): Promise<Record<string, unknown>> {
  const response = await fetch(server.url + path, { headers });
  return (await response.json()) as Record<string, unknown>;
}

/** The client as a plugin sees it. */
async function remote(...headers: [string, string][]): Promise<unknown> {
  return (await get('/echo', headers))['remote'];
}

const xff = (value: string): [string, string] => ['x-forwarded-for', value];

test('without trust_proxy the client is the other end of the connection, whatever it says', async () => {
  server = await startServer(configuration(''));
  expect(await remote(xff('203.0.113.7'))).toMatchObject({ address: '127.0.0.1' });
  const headers = (await get('/up', [
    xff('203.0.113.7'),
    ['x-forwarded-proto', 'https'],
    ['x-forwarded-host', 'forged.example'],
  ])) as IncomingHttpHeaders;
  expect(headers).toMatchObject({ 'x-forwarded-proto': 'http', 'x-forwarded-for': '203.0.113.7, 127.0.0.1' });
  expect(headers['x-forwarded-host']).toMatch(/^127\.0\.0\.1:\d+$/);
});

test.each([
  ['one address', '203.0.113.7', { address: '203.0.113.7', port: 0 }],
  ['an address with a port', '203.0.113.7:4711', { address: '203.0.113.7', port: 4711 }],
  ['an IPv6 address', '2001:db8::7', { address: '2001:db8::7', port: 0 }],
  ['an IPv6 address with a port', '[2001:db8::7]:4711', { address: '2001:db8::7', port: 4711 }],
  ['an address that the client put before its own', '1.1.1.1, 203.0.113.7', { address: '203.0.113.7' }],
  ['a chain of trusted proxies', '203.0.113.7, 10.1.1.1, fd00::1', { address: '203.0.113.7' }],
  ['trusted proxies only', '10.1.1.1, 10.2.2.2', { address: '10.1.1.1' }],
  ['text before a trusted proxy', 'unknown, 10.1.1.1', { address: '10.1.1.1' }],
  ['text', 'nonsense', { address: '127.0.0.1' }],
  ['nothing', '', { address: '127.0.0.1' }],
  ['a port that does not exist', '203.0.113.7:70000', { address: '127.0.0.1' }],
])('with a trusted proxy that states %s', async (_, value, expected) => {
  server = await startServer(configuration(TRUSTED));
  expect(await remote(xff(value))).toMatchObject(expected);
});

test('several x-forwarded-for lines are one list', async () => {
  server = await startServer(configuration(TRUSTED));
  expect(await remote(xff('203.0.113.7'), xff('10.1.1.1'))).toMatchObject({ address: '203.0.113.7' });
});

test('a target gets the scheme and the host that the trusted proxy states, and the address of the proxy', async () => {
  server = await startServer(configuration(TRUSTED));
  const headers = await get('/up', [
    xff('203.0.113.7'),
    ['x-forwarded-proto', 'https'],
    ['x-forwarded-host', 'shop.example'],
  ]);
  expect(headers).toMatchObject({
    'x-forwarded-for': '203.0.113.7, 127.0.0.1',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'shop.example',
  });
});

test('a scheme and a host that the client put before those of the proxy are not believed', async () => {
  server = await startServer(configuration(TRUSTED));
  const headers = await get('/up', [
    xff('9.9.9.9, 203.0.113.7'),
    ['x-forwarded-proto', 'https, http'],
    ['x-forwarded-host', 'forged.example, shop.example'],
  ]);
  expect(headers).toMatchObject({ 'x-forwarded-proto': 'http', 'x-forwarded-host': 'shop.example' });
});

test('with header: forwarded, only that header counts', async () => {
  server = await startServer(configuration(TRUSTED.replace(' }', ', header: forwarded }')));
  const forwarded = 'for="[2001:db8::7]:4711";proto=https;host="shop.example", For=10.1.1.1';
  expect(await remote(['forwarded', forwarded], xff('1.1.1.1'))).toEqual({
    address: '2001:db8::7',
    port: 4711,
  });
  expect(await get('/up', [['forwarded', forwarded]])).toMatchObject({
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'shop.example',
    forwarded: `${forwarded}, for=127.0.0.1;proto=http`,
  });
  for (const broken of ['for=1.1.1.1;;', 'for="1.1.1.1', 'nonsense', 'for=_hidden', 'for=unknown'])
    expect(await remote(['forwarded', broken])).toMatchObject({ address: '127.0.0.1' });
});

test('a reload changes whom the server believes', async () => {
  server = await startServer(configuration(TRUSTED));
  expect(await remote(xff('203.0.113.7'))).toMatchObject({ address: '203.0.113.7' });
  const report = await server.change(configuration(', trust_proxy: { addresses: [192.0.2.1] }'));
  expect(report.settings).toContain('server.trust_proxy.addresses');
  expect(await remote(xff('203.0.113.7'))).toMatchObject({ address: '127.0.0.1' });
});

test('an IPv4 client of a server on an IPv6 address is matched by its IPv4 address', async () => {
  server = await startServer(configuration(TRUSTED, '::'));
  server = { ...server, url: server.url.replace('[::]', '127.0.0.1') };
  expect(await remote(xff('203.0.113.7'))).toMatchObject({ address: '203.0.113.7' });
});

test('reading a Forwarded header never throws, and reads back what was written', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseForwarded(text)));
  const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
  const element = fc.record({
    for: fc.string({ unit: 'grapheme-ascii' }),
    proto: fc.constantFrom('http', 'https'),
  });
  fc.assert(
    fc.property(fc.array(element, { minLength: 1, maxLength: 5 }), (elements) => {
      const header = elements.map(({ for: node, proto }) => `for=${quoted(node)};proto=${proto}`).join(', ');
      expect(parseForwarded(header)).toEqual(elements);
    }),
  );
});
