/** A server with `server.tls`, asked by real TLS clients. */
import { execFileSync } from 'node:child_process';
import { randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { certificateFolder, TestAuthority, type TestCertificate } from '../fixtures/certificates.js';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { createTestServer, eventually, startServer, type TestServer } from '../fixtures/server.js';

jest.setTimeout(120_000);

ownCache();
const folder = certificateFolder();
let authority: TestAuthority;
let first: TestCertificate;
let org: TestCertificate;
let client: TestCertificate;

beforeAll(() => {
  authority = new TestAuthority(folder);
  first = authority.issue('example.com', { san: 'DNS:example.com,DNS:localhost,IP:127.0.0.1' });
  org = authority.issue('org', { san: 'DNS:example.org,DNS:*.example.org' });
  client = authority.issue('alice', {
    subject: '/O=Example, Inc./CN=alice',
    san: 'DNS:alice.example,URI:spiffe://example/alice',
  });
});

const yaml = (
  tlsBlock: string,
  rest = 'endpoints: { hello: { path: /hello, response: { body: hello } } }',
): string =>
  `server: { port: 0, tls: { certificate: ${first.certificate}, key: ${first.key}, ${tlsBlock} } }\n${rest}\n`;

/** The certificate that the server shows for a host name. */
function shownTo(
  server: TestServer,
  servername: string,
  options: tls.ConnectionOptions = {},
): Promise<string> {
  const { port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      port: Number(port),
      host: '127.0.0.1',
      servername,
      ca: authority.pem,
      ...options,
    });
    socket.on('error', reject);
    socket.on('secureConnect', () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
  });
}

const readKey = (path: string): string => readFileSync(path, 'utf8');

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

function ask(server: TestServer, path: string, options: https.RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = https.get(
      server.url + path,
      { ca: authority.pem, agent: false, ...options },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => (body += text));
        response.on('end', () => resolve({ status: response.statusCode, body }));
      },
    );
    request.on('error', reject);
  });
}

test('requests over TLS are answered, with https as their scheme', async () => {
  const target = http.createServer((request, response) => void response.end(JSON.stringify(request.headers)));
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  const { port } = target.address() as net.AddressInfo;
  const server = await startServer(
    yaml('', `endpoints: { any: { path: "/*", proxy: { target: "http://127.0.0.1:${port}" } } }`),
  );
  expect(server.url).toMatch(/^https:/);
  const headers = { 'x-forwarded-proto': 'http', forwarded: 'for=192.0.2.1' };
  const { body } = await ask(server, '/x', { headers });
  target.close();
  expect(JSON.parse(body)).toMatchObject({
    'x-forwarded-proto': 'https',
    forwarded: 'for=192.0.2.1, for=127.0.0.1;proto=https',
  });
});

test('a client gets the certificate of the host it asks for, and the first one for any other', async () => {
  const server = await startServer(
    yaml(`certificates: [{ certificate: ${org.certificate}, key: ${org.key} }]`),
  );
  expect(await shownTo(server, 'example.org')).toBe('org');
  expect(await shownTo(server, 'API.Example.org')).toBe('org');
  expect(await shownTo(server, 'example.com')).toBe('example.com');
  expect(await shownTo(server, 'other.test', { checkServerIdentity: () => undefined })).toBe('example.com');
  expect(await shownTo(server, 'a.b.example.org', { checkServerIdentity: () => undefined })).toBe(
    'example.com',
  );
});

test('hosts that the configuration lists replace the names in the certificate', async () => {
  const server = await startServer(
    yaml(`certificates: [{ hosts: ["*.Test.example"], certificate: ${org.certificate}, key: ${org.key} }]`),
  );
  const options = { checkServerIdentity: () => undefined };
  expect(await shownTo(server, 'a.test.example', options)).toBe('org');
  expect(await shownTo(server, 'example.org', options)).toBe('example.com');
});

test('versions of TLS below min_version are refused', async () => {
  const server = await startServer(yaml('min_version: "1.3"'));
  await expect(shownTo(server, 'example.com', { maxVersion: 'TLSv1.2' })).rejects.toThrow(/version/i);
  expect(await shownTo(server, 'example.com')).toBe('example.com');
  const wider = await startServer(yaml(''));
  expect(await shownTo(wider, 'example.com', { maxVersion: 'TLSv1.2' })).toBe('example.com');
});

describe('a file that cannot be used ends the start with its place in the configuration', () => {
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const start = async (certificate: string, key: string): Promise<unknown> =>
    createTestServer(
      `server: { port: 0, tls: { certificate: ${certificate}, key: ${key} } }`,
    ).backworks.start();
  const encrypted = (): string => {
    const path = join(folder, 'encrypted.key');
    execFileSync('openssl', ['pkey', '-in', first.key, '-aes256', '-passout', 'pass:x', '-out', path]);
    return path;
  };

  test.each<[string, () => [string, string], RegExp]>([
    [
      'a missing certificate',
      () => ['/nowhere/x.pem', first.key],
      /^server.tls.certificate: .*x.pem: cannot be read: no such file$/,
    ],
    [
      'a missing key',
      () => [first.certificate, '/nowhere/x.key'],
      /^server.tls.key: .*x.key: cannot be read: no such file$/,
    ],
    [
      'a directory',
      () => [folder, first.key],
      /^server.tls.certificate: .*: cannot be read: it is a directory$/,
    ],
    [
      'a file that never ends',
      () => [first.certificate, '/dev/zero'],
      /^server.tls.key: .*: is longer than 1 MiB$/,
    ],
    [
      'text that is not PEM',
      () => [write('text.pem', 'text'), first.key],
      /certificate: .*: has no certificate in PEM form$/,
    ],
    [
      'a key that is not PEM',
      () => [first.certificate, write('text.key', 'text')],
      /key: .*: has no private key in PEM form$/,
    ],
    [
      'a damaged certificate',
      () => [write('damaged.pem', first.pem.replace(/\n[^-]{20}/, '\nAAAA')), first.key],
      /: the certificate is damaged$/,
    ],
    [
      'a key of another certificate',
      () => [first.certificate, org.key],
      /^server.tls.key: .*org.key: does not belong to the certificate in .*example.com.pem$/,
    ],
    [
      'a key with a passphrase',
      () => [first.certificate, encrypted()],
      /: the private key needs a passphrase$/,
    ],
  ])('%s', async (_what, files, message) => {
    await expect(start(...files())).rejects.toThrow(
      expect.objectContaining({ code: 'BW_SERVER_TLS', message: expect.stringMatching(message) as unknown }),
    );
  });

  test('swapped files and a chain in the wrong order are recognized', async () => {
    await expect(start(first.key, first.certificate)).rejects.toThrow(
      expect.objectContaining({ hint: expect.stringContaining('swapped') as unknown }),
    );
    const wrongOrder = write('order.pem', authority.pem + first.pem);
    await expect(start(wrongOrder, first.key)).rejects.toThrow(
      expect.objectContaining({ hint: expect.stringContaining('must be the first') as unknown }),
    );
  });
});

test('a certificate that expires soon is a warning', async () => {
  const soon = authority.issue('soon', { days: 5 });
  const server = await startServer(
    yaml(`certificates: [{ certificate: ${soon.certificate}, key: ${soon.key} }]`),
  );
  const warnings = server.log.filter(({ level }) => level === 'warn').map(({ message }) => message);
  expect(warnings).toEqual([
    expect.stringMatching(
      /^server\.tls\.certificates\[0\]\.certificate: .*soon\.pem: expires at .* — renew it$/,
    ),
  ]);
});

describe('a certificate that changes', () => {
  /** A server whose certificate files can be replaced. */
  async function changing(name: string) {
    const files = { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
    copyFileSync(first.certificate, files.certificate);
    copyFileSync(first.key, files.key);
    const server = await startServer(
      `server: { port: 0, reload: { interval: 20ms }, tls: { certificate: ${files.certificate}, key: ${files.key} } }\n` +
        'endpoints: { hello: { path: /hello, response: { body: hello } } }\n',
    );
    return { files, server };
  }
  const said = ({ log }: TestServer, words: string) => log.some(({ message }) => message.includes(words));

  test('reaches new connections, while an open connection continues', async () => {
    const { files, server } = await changing('renewed');
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    const kept = { agent, ca: authority.pem };
    expect((await ask(server, '/hello', kept)).body).toBe('hello');
    copyFileSync(org.certificate, files.certificate);
    copyFileSync(org.key, files.key);
    await eventually(() => said(server, 'certificates read again'), 'reading the new certificate');
    expect(await shownTo(server, 'example.org')).toBe('org');
    // The name of the new certificate does not fit: only the old connection can answer.
    expect((await ask(server, '/hello', kept)).body).toBe('hello');
    agent.destroy();
  });

  test('is not used while its key does not belong to it', async () => {
    const { files, server } = await changing('half');
    copyFileSync(org.certificate, files.certificate);
    await eventually(() => said(server, 'certificates not changed'), 'refusing half a change');
    expect(await shownTo(server, 'example.com')).toBe('example.com');
    copyFileSync(org.key, files.key);
    await eventually(() => said(server, 'certificates read again'), 'reading the other half');
    expect(await shownTo(server, 'example.org')).toBe('org');
  });

  test('is not used when it is damaged or gone', async () => {
    const { files, server } = await changing('damaged');
    writeFileSync(files.certificate, 'no certificate');
    await eventually(() => said(server, 'certificates not changed'), 'refusing the file');
    rmSync(files.certificate);
    await server.backworks.reload();
    expect((await ask(server, '/hello')).body).toBe('hello');
  });
});

describe('client certificates', () => {
  const clients = (mode: string): string =>
    `client_certificates: { ca: ${authority.certificate}, mode: ${mode} }`;

  test('a required certificate that is missing or of another authority ends the connection', async () => {
    const server = await startServer(yaml(clients('require')));
    const stranger = new TestAuthority(certificateFolder(), 'stranger').issue('mallory');
    const withFiles = ({ pem, key }: TestCertificate) => ({ cert: pem, key: readKey(key) });
    await expect(ask(server, '/hello')).rejects.toThrow();
    await expect(ask(server, '/hello', withFiles(stranger))).rejects.toThrow();
    expect((await ask(server, '/hello', withFiles(client))).body).toBe('hello');
  });

  test('a requested certificate may be missing, and must not be of another authority', async () => {
    const server = await startServer(yaml(clients('request')));
    const stranger = new TestAuthority(certificateFolder(), 'stranger').issue('mallory');
    expect((await ask(server, '/hello')).body).toBe('hello');
    await expect(ask(server, '/hello', { cert: stranger.pem, key: readKey(stranger.key) })).rejects.toThrow();
    expect((await ask(server, '/hello', { cert: client.pem, key: readKey(client.key) })).body).toBe('hello');
  });

  test('plugins get the facts of the certificate, whatever headers and patches say', async () => {
    const plugins = `plugins: { echo: { path: ${compilePlugin('echo')} } }`;
    const server = await startServer(
      yaml(clients('request'), `endpoints: { echo: { path: /echo, plugin: echo } }\n${plugins}`),
    );
    const seen = async (options: https.RequestOptions): Promise<Record<string, unknown>> =>
      JSON.parse((await ask(server, '/echo', options)).body) as Record<string, unknown>;
    const { tls: facts } = await seen({ cert: client.pem, key: readKey(client.key) });
    expect(facts).toEqual({
      client_certificate: {
        subject: 'CN=alice,O=Example\\, Inc.',
        issuer: 'CN=authority,O=Backworks tests',
        san: ['DNS:alice.example', 'URI:spiffe://example/alice'],
        serial: expect.stringMatching(/^[0-9A-F]+$/),
        fingerprint: new X509Certificate(client.pem).fingerprint256.replaceAll(':', '').toLowerCase(),
        not_before: expect.stringMatching(/Z$/),
        not_after: expect.stringMatching(/Z$/),
      },
    });
    const forged = { tls: '{"client_certificate":{}}', 'x-client-cert': 'x', 'x-forwarded-client-cert': 'x' };
    expect(await seen({ headers: forged })).not.toHaveProperty('tls');
  });
});

describe('clients that do not speak TLS', () => {
  /** Sends bytes and waits until the server closes the connection. */
  const closed = (server: TestServer, bytes: Buffer | string): Promise<void> =>
    new Promise((resolve) => {
      const socket = net.connect(Number(new URL(server.url).port), '127.0.0.1');
      socket
        .on('error', () => undefined)
        .on('close', () => resolve())
        .resume();
      socket.write(bytes);
    });

  test('lose their connections, and the next request is answered', async () => {
    const server = await startServer(yaml('handshake_timeout: 300ms'));
    const hello = Buffer.from('16030100c8010000c40303', 'hex');
    await Promise.all([
      closed(server, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'),
      ...Array.from({ length: 100 }, (_value, index) => closed(server, randomBytes(1 + index * 7))),
      // The beginning of a handshake, and nothing more.
      ...Array.from({ length: 50 }, () => closed(server, hello)),
      closed(server, ''),
    ]);
    expect((await ask(server, '/hello')).body).toBe('hello');
  });
});

test('a client that prefers HTTP/2 gets it', async () => {
  const server = await startServer(yaml(''));
  const session = http2.connect(server.url, { ca: authority.pem });
  const stream = session.request({ ':path': '/hello' });
  let body = '';
  stream.setEncoding('utf8').on('data', (text: string) => (body += text));
  const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
  await once(stream, 'end');
  session.close();
  expect([headers[':status'], body]).toEqual([200, 'hello']);
  expect(headers['x-request-id']).toEqual(expect.any(String));
});

test('a stopping server finishes the requests of both protocols, then closes', async () => {
  const server = await startServer(yaml(''));
  const session = http2.connect(server.url, { ca: authority.pem });
  await once(session, 'connect');
  const agent = new https.Agent({ keepAlive: true });
  await ask(server, '/hello', { agent });
  const ended = once(session, 'close');
  await server.backworks.stop();
  await ended;
  agent.destroy();
});
