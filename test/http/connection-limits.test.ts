/** The limits of `server.connections` over HTTP/1. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { staticEndpoint } from '../pipeline/documents/sample-request.js';
import { parseConfig } from '../../dist/config/load/load.js';
import { DEFAULT_CONNECTIONS, listen, type Listener, type ListenOptions } from '../../dist/http/listen.js';
import { Certificates } from '../../dist/tls/certificates.js';
import { certificateFolder, TestAuthority, type TestCertificate } from '../fixtures/certificates.js';
import { appOf } from './served.js';

jest.setTimeout(60_000);

let authority: TestAuthority;
let certificate: TestCertificate;
beforeAll(() => {
  authority = new TestAuthority(certificateFolder());
  certificate = authority.issue('localhost');
});

const listeners: Listener[] = [];
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close({ timeoutMs: 0 });
});

async function serve(options: Partial<ListenOptions>): Promise<Listener> {
  const listener = await listen(appOf([staticEndpoint('/', 'hello')]), {
    host: '127.0.0.1',
    port: 0,
    ...options,
  });
  listeners.push(listener);
  return listener;
}

const secured = (): Promise<Certificates> => {
  const { certificate: path, key } = certificate;
  const yaml = `server: { tls: { certificate: ${path}, key: ${key} } }`;
  return Certificates.open(parseConfig(yaml, { directory: '/' }).config.server.tls!);
};

/** A connection that records what arrives. */
function client(listener: Listener, secure: boolean): { socket: net.Socket; text: () => string } {
  const { port } = listener;
  const socket = secure
    ? tls.connect({
        port,
        host: '127.0.0.1',
        servername: 'localhost',
        ca: readFileSync(authority.certificate),
      })
    : net.connect(port, '127.0.0.1');
  let text = '';
  socket.on('error', () => undefined).on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { socket, text: () => text };
}

test('the defaults are those of the configuration', () => {
  expect(DEFAULT_CONNECTIONS).toEqual(
    parseConfig('{}', { directory: '/', env: {} }).config.server.connections,
  );
});

// Behind TLS another server accepts the connections.
describe.each([
  ['without TLS', false],
  ['with TLS', true],
])('%s', (_how, secure) => {
  const tlsOption = async (): Promise<Partial<ListenOptions>> => (secure ? { tls: await secured() } : {});

  test('a connection closes with the answer to its last request', async () => {
    const listener = await serve({ ...(await tlsOption()), connections: { maxRequests: 2 } });
    const { socket, text } = client(listener, secure);
    socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n'.repeat(5));
    await once(socket, 'close');
    const answers = text().split('HTTP/1.1 200 OK').slice(1);
    expect(answers).toHaveLength(2);
    expect(answers[0]).not.toMatch(/connection: close/i);
    expect(answers[1]).toMatch(/connection: close/i);
  });

  test('a header that does not end is refused after header_timeout', async () => {
    const listener = await serve({ ...(await tlsOption()), connections: { headerTimeoutMs: 200 } });
    const { socket, text } = client(listener, secure);
    socket.write('GET / HTTP/1.1\r\nHost: h\r\n');
    await once(socket, 'close');
    expect(text()).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('a header beyond header_limit is refused', async () => {
    const listener = await serve({ ...(await tlsOption()), connections: { headerLimitBytes: 2000 } });
    const { socket, text } = client(listener, secure);
    socket.write(`GET / HTTP/1.1\r\nHost: h\r\nX-Long: ${'x'.repeat(2500)}\r\n\r\n`);
    await once(socket, 'close');
    expect(text()).toMatch(/^HTTP\/1\.1 431 /);
  });

  test('a connection without requests closes after keep_alive_timeout', async () => {
    const listener = await serve({ ...(await tlsOption()), connections: { keepAliveTimeoutMs: 200 } });
    const { socket, text } = client(listener, secure);
    socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await once(socket, 'close');
    expect(text()).toContain('hello');
  });
});
