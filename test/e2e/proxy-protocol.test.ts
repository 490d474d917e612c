/** A server behind load balancers that speak the PROXY protocol. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ownCache } from '../fixtures/cache.js';
import { certificateFolder, TestAuthority, type TestCertificate } from '../fixtures/certificates.js';
import { compilePlugin } from '../fixtures/compile.js';
import { startServer, type TestServer } from '../fixtures/server.js';
import { answerOn } from '../http/http2-client.js';
import { binaryHeader } from '../http/proxy-headers.js';

jest.setTimeout(120_000);
ownCache();

const V1 = 'PROXY TCP4 203.0.113.7 127.0.0.1 4711 80\r\n';
const V2 = binaryHeader({ family: 0x11, addresses: Buffer.from('cb0071077f00000112670050', 'hex') });

let certificate: TestCertificate;
let authority: TestAuthority;
const target = createServer((request, response) => void response.end(JSON.stringify(request.headers)));
beforeAll(async () => {
  authority = new TestAuthority(certificateFolder());
  certificate = authority.issue('localhost');
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
});
afterAll(() => void target.close());

const start = (settings = '', addresses = '[127.0.0.1]'): Promise<TestServer> =>
  startServer(`server: { port: 0, proxy_protocol: { addresses: ${addresses}, timeout: 1s }${settings} }
endpoints:
  echo: { path: /echo, plugin: echo }
  up: { path: /up, proxy: { target: "http://127.0.0.1:${(target.address() as net.AddressInfo).port}" } }
plugins: { echo: { path: ${compilePlugin('echo')} } }
`);

function connection(server: TestServer, ...parts: readonly (string | Buffer)[]): net.Socket {
  const socket = net.connect(Number(new URL(server.url).port), '127.0.0.1').setNoDelay();
  socket.on('error', () => undefined);
  for (const part of parts) socket.write(part);
  return socket;
}

/** Everything that arrives until the server closes the connection. */
async function received(socket: net.Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(socket, 'close');
  return text;
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`;
const CLIENT = '"remote":{"address":"203.0.113.7","port":4711}';

describe('the stated client', () => {
  test.each([
    ['version 1', V1],
    ['version 2', V2],
  ])('reaches plugins and targets, from a header of %s', async (_version, header) => {
    const server = await start();
    expect(await received(connection(server, header, get('/echo')))).toContain(CLIENT);
    expect(await received(connection(server, header, get('/up')))).toContain(
      '"x-forwarded-for":"203.0.113.7"',
    );
  });

  test('is read from a header in pieces, and from one packet with the request', async () => {
    const server = await start();
    const slow = connection(server);
    const answer = received(slow);
    for (const letter of V1) {
      slow.write(letter);
      await new Promise((resolve) => setImmediate(resolve));
    }
    slow.write(get('/echo'));
    expect(await answer).toContain(CLIENT);
    expect(await received(connection(server, V1 + get('/echo')))).toContain(CLIENT);
  });

  test('is the same for every request of the connection, and stands below what trust_proxy believes', async () => {
    const server = await start(', trust_proxy: { addresses: [203.0.113.7] }');
    const forwarded =
      'GET /echo HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 198.51.100.9\r\nConnection: close\r\n\r\n';
    const both = get('/echo').replace('close', 'keep-alive') + forwarded;
    const text = await received(connection(server, V2, both));
    expect(text).toContain(CLIENT);
    expect(text).toContain('"remote":{"address":"198.51.100.9","port":0}');
  });

  test('is known behind TLS and over HTTP/2', async () => {
    const server = await start(`, tls: { certificate: ${certificate.certificate}, key: ${certificate.key} }`);
    const secure = tls.connect({
      socket: connection(server, V2),
      servername: 'localhost',
      ca: authority.pem,
      ALPNProtocols: ['h2'],
    });
    await once(secure, 'secureConnect');
    const session = http2.connect('https://localhost', { createConnection: () => secure });
    expect((await answerOn(session.request({ ':path': '/echo' }))).body).toContain(CLIENT);
    session.destroy();
  });

  test('is known over HTTP/2 without TLS', async () => {
    const server = await start(', http2: { accept: always }');
    const session = http2.connect('http://h', { createConnection: () => connection(server, V1) });
    expect((await answerOn(session.request({ ':path': '/echo' }))).body).toContain(CLIENT);
    session.destroy();
  });
});

test.each([
  ['LOCAL', binaryHeader({ command: 0x20, family: 0, addresses: Buffer.alloc(0) })],
  ['UNKNOWN', 'PROXY UNKNOWN\r\n'],
])('%s keeps the address of the balancer', async (_what, header) => {
  const server = await start();
  expect(await received(connection(server, header, get('/echo')))).toContain(
    '"remote":{"address":"127.0.0.1"',
  );
});

describe('a connection from a balancer', () => {
  test.each([
    ['without a header', get('/echo')],
    ['with a damaged header', V1.replace('4711', 'x')],
    ['that stays silent', ''],
    ['with a header that does not end', 'PROXY TCP4 203'],
  ])('%s is closed', async (_what, bytes) => {
    const server = await start();
    expect(await received(connection(server, bytes))).toBe('');
    expect(await received(connection(server, V1, get('/echo')))).toContain(CLIENT);
    const warnings = server.log.filter(({ level }) => level === 'warn');
    const expected = bytes === get('/echo') || bytes.includes(' x ') ? 1 : 0;
    expect(warnings.filter(({ message }) => message.includes('PROXY protocol'))).toHaveLength(expected);
  });
});

test('a header from another address is not believed', async () => {
  const server = await start('', '[192.0.2.1]');
  expect(await received(connection(server, V1, get('/echo')))).toMatch(/^HTTP\/1\.1 400 /);
  expect(await received(connection(server, get('/echo')))).toContain('"remote":{"address":"127.0.0.1"');
});
