import net from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { header, rawAsk, rawTarget } from '../fixtures/raw-http.js';
import { startServer } from '../fixtures/server.js';

const CLOSE = 'Host: h\r\nConnection: close\r\n\r\n';

interface Patches {
  response?: object | undefined;
  request?: object | undefined;
}

/** A server with a proxy endpoint, and a plugin that patches every response or request. */
async function proxied(answer: Parameters<typeof rawTarget>[0], { response, request }: Patches = {}) {
  const target = await rawTarget(answer);
  const plugins = [
    response && `  r: { path: ${compilePlugin('patches_response')}, config: ${JSON.stringify(response)} }`,
    request && `  q: { path: ${compilePlugin('patches_request')}, config: ${JSON.stringify(request)} }`,
  ].filter((line) => line !== undefined);
  const server = await startServer(`
endpoints:
  up: { path: "/up/*", proxy: { target: "${target.url}" } }
${plugins.length === 0 ? '' : `plugins:\n${plugins.join('\n')}`}
`);
  const { port } = new URL(server.url);
  const ask = (text: string) => rawAsk(port, text);
  return { target, server, port, ask, get: (method = 'GET') => ask(`${method} /up/x HTTP/1.1\r\n${CLOSE}`) };
}

const ok = (headers = ''): string => `HTTP/1.1 200 OK\r\n${headers}Content-Length: 5\r\n\r\nhello`;

describe('a status without a body', () => {
  test.each([
    [204, undefined],
    [205, '0'],
    [304, undefined],
  ])('%i set by a hook on a proxied answer has content-length %s and no body', async (status, length) => {
    const answer = await (await proxied(ok(), { response: { status } })).get();
    expect(answer).toMatchObject({ status, rest: '' });
    expect(header(answer, 'content-length')).toBe(length);
    expect(header(answer, 'transfer-encoding')).toBeUndefined();
  });

  test.each([
    ['204 No Content\r\nContent-Length: 5\r\n\r\n', 204, undefined],
    ['205 Reset Content\r\nContent-Length: 5\r\n\r\nhello', 205, '0'],
    ['304 Not Modified\r\nContent-Length: 5\r\n\r\n', 304, undefined],
  ])(
    'of a target that answers %j is framed as empty, whether streamed or seen by a hook',
    async (raw, status, length) => {
      for (const response of [undefined, { headers: { 'x-a': '1' } }]) {
        const answer = await (await proxied(`HTTP/1.1 ${raw}`, { response })).get();
        expect(answer).toMatchObject({ status, rest: '' });
        expect(header(answer, 'content-length')).toBe(length);
      }
    },
  );

  test.each([
    [204, undefined],
    [205, '0'],
    [304, undefined],
  ])('%i of a static response is framed as empty', async (status, length) => {
    const { url } = await startServer(`endpoints:\n  s: { path: /s, response: { status: ${status} } }`);
    const answer = await rawAsk(new URL(url).port, `GET /s HTTP/1.1\r\n${CLOSE}`);
    expect(answer).toMatchObject({ status, rest: '' });
    expect(header(answer, 'content-length')).toBe(length);
  });
});

describe('HEAD', () => {
  test.each([
    ['streamed', undefined],
    ['seen by a hook', { headers: { 'x-a': '1' } }],
  ])('of a proxy endpoint has the length that the target announced, %s', async (_how, response) => {
    const { get } = await proxied('HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n', { response });
    const answer = await get('HEAD');
    expect(answer).toMatchObject({ status: 200, rest: '' });
    expect(header(answer, 'content-length')).toBe('12345');
  });

  test.each([
    ['streamed', undefined],
    ['seen by a hook', { headers: { 'x-a': '1' } }],
  ])('of a target that announces no length has no content-length, %s', async (_how, response) => {
    const { get } = await proxied('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', { response });
    const answer = await get('HEAD');
    expect(answer).toMatchObject({ status: 200, rest: '' });
    expect(header(answer, 'content-length')).toBeUndefined();
  });

  test('sent to the target in place of the GET of a client gives the client a complete, empty answer', async () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n';
    const answer = await (await proxied(head, { request: { method: 'HEAD' } })).get();
    expect(answer).toMatchObject({ status: 200, rest: '' });
    expect(header(answer, 'content-length')).toBe('0');
  });

  test('of a client sends no body to the client when a plugin makes it a GET', async () => {
    const answer = await (await proxied(ok(), { request: { method: 'GET' } })).get('HEAD');
    expect(answer).toMatchObject({ status: 200, rest: '' });
  });
});

describe('header bytes above 127', () => {
  const bytes = 'caf\xc3\xa9 \xff';
  test.each([
    ['streamed', undefined],
    ['seen by a hook', { headers: { 'x-a': '1' } }],
    ['with a body from the hook that is not ASCII', { body: 'grün', body_encoding: 'text' }],
  ])('of a target reach the client unchanged, %s', async (_how, response) => {
    const { get } = await proxied(ok(`X-Name: ${bytes}\r\n`), { response });
    expect(header(await get(), 'x-name')).toBe(bytes);
  });

  test.each([
    ['streamed', undefined],
    ['seen by a hook', { headers: { 'x-a': '1' } }],
  ])('of a client reach the target unchanged, %s', async (_how, request) => {
    const { ask, target } = await proxied(ok(), { request });
    await ask(`POST /up/x HTTP/1.1\r\nX-Name: ${bytes}\r\nContent-Length: 2\r\n${CLOSE}{}`);
    expect(target.received.join('')).toMatch(new RegExp(`^x-name: ${bytes}\\r$`, 'im'));
  });
});

describe('a request head that HTTP forbids', () => {
  const problem = (rest: string): unknown => JSON.parse(rest) as unknown;

  test.each([
    ['two Host lines', 'GET /up/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400, 'BW_REQUEST_INVALID'],
    ['two equal Host lines', 'GET /up/x HTTP/1.1\r\nhost: a\r\nHOST: a\r\n\r\n', 400, 'BW_REQUEST_INVALID'],
    ['no Host line', 'GET /up/x HTTP/1.1\r\n\r\n', 400, 'BW_REQUEST_INVALID'],
    ['a URL of another scheme', 'GET ftp://a/up/x HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'BW_REQUEST_INVALID'],
    ['a user in the URL', 'GET http://u@a/up/x HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'BW_REQUEST_INVALID'],
    [
      'an unknown transfer coding before chunked',
      'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      501,
      'BW_REQUEST_NOT_IMPLEMENTED',
    ],
    [
      'an unknown transfer coding on a separate line',
      'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      501,
      'BW_REQUEST_NOT_IMPLEMENTED',
    ],
    [
      'an unknown transfer coding alone',
      'POST /up/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x-own\r\n\r\n',
      501,
      'BW_REQUEST_NOT_IMPLEMENTED',
    ],
  ])(
    '%s is refused with a problem document, and the connection closes',
    async (_what, text, status, code) => {
      const { ask, target } = await proxied(ok());
      const answer = await ask(text);
      expect(answer.status).toBe(status);
      expect(problem(answer.rest)).toMatchObject({ status, code });
      expect(header(answer, 'connection')).toBe('close');
      expect(target.received).toEqual([]);
    },
  );

  test.each([
    ['two lengths', 'Content-Length: 2\r\nContent-Length: 3\r\n'],
    ['a list of lengths', 'Content-Length: 2, 3\r\n'],
    ['a length that is not a number', 'Content-Length: +2\r\n'],
    ['a length and chunks', 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n'],
    ['chunks and a length', 'Transfer-Encoding: chunked\r\nContent-Length: 2\r\n'],
  ])('%s are 400, and no target sees the request', async (_what, lines) => {
    const { ask, target } = await proxied(ok());
    expect((await ask(`POST /up/x HTTP/1.1\r\nHost: a\r\n${lines}\r\n{}`)).status).toBe(400);
    expect(target.received).toEqual([]);
  });

  test('OPTIONS * is answered 204, and * with another method is 400', async () => {
    const { ask, target } = await proxied(ok());
    expect(await ask(`OPTIONS * HTTP/1.1\r\n${CLOSE}`)).toMatchObject({ status: 204, rest: '' });
    expect((await ask(`GET * HTTP/1.1\r\n${CLOSE}`)).status).toBe(400);
    expect(target.received).toEqual([]);
  });

  test('an HTTP/1.0 request without Host is answered', async () => {
    const { ask, target } = await proxied(ok());
    expect(await ask('GET /up/x HTTP/1.0\r\n\r\n')).toMatchObject({ status: 200, rest: 'hello' });
    expect(target.received[0]).not.toMatch(/x-forwarded-host/i);
  });

  test('CONNECT is answered with 501', async () => {
    const { ask } = await proxied(ok());
    expect((await ask('CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n')).status).toBe(501);
  });

  test('CONNECT behind other requests is answered after them', async () => {
    const { ask } = await proxied(ok());
    const { status, rest } = await ask(
      'GET /up/x HTTP/1.1\r\nHost: a\r\n\r\nCONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n',
    );
    expect(status).toBe(200);
    expect(rest).toMatch(/^helloHTTP\/1\.1 501 /);
  });

  test('a client that resets or keeps its connection after CONNECT blocks neither other clients nor the stop', async () => {
    const { port, get, server } = await proxied(ok());
    const text = `CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n${'x'.repeat(100_000)}`;
    for (let round = 0; round < 20; round += 1) {
      const socket = net.connect(Number(port), '127.0.0.1').on('error', () => undefined);
      await new Promise((resolve) => socket.write(text, resolve));
      socket.resetAndDestroy();
    }
    const open = net.connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
    open.on('error', () => undefined).write(text);
    await new Promise((resolve) => open.once('data', resolve));
    expect((await get()).status).toBe(200);
    await server.backworks.stop();
    open.destroy();
  });
});

describe('a client that waits for 100 Continue', () => {
  const head = (path: string, length: number, more = ''): string =>
    `POST ${path} HTTP/1.1\r\nHost: h\r\n${more}Expect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;

  test.each([
    ['streamed', undefined],
    ['read for a plugin', { headers: { 'x-a': '1' } }],
  ])('is told to send a body that is %s, and reuses its connection', async (_how, request) => {
    const asking = (text: string, target: net.Socket): string => {
      if (!/^expect: 100-continue/im.test(text)) return ok();
      target.once('data', () => target.write(ok()));
      return 'HTTP/1.1 100 Continue\r\n\r\n';
    };
    const { port } = await proxied(asking, { request });
    const socket = net.connect(Number(port), '127.0.0.1');
    let received = '';
    const until = async (text: string): Promise<void> => {
      while (!received.includes(text)) await new Promise((resolve) => socket.once('data', resolve));
    };
    socket.on('data', (chunk) => (received += chunk.toString('latin1')));
    for (let round = 0; round < 2; round += 1) {
      received = '';
      socket.write(head('/up/x', 2));
      await until('\r\n\r\n');
      expect(received).toBe('HTTP/1.1 100 Continue\r\n\r\n');
      socket.write('{}');
      await until('hello');
    }
    socket.destroy();
  });

  test('sends no body to a target that answers its head alone', async () => {
    const answer = await (await proxied(ok())).ask(head('/up/x', 2));
    expect([answer.status, answer.rest]).toEqual([200, 'hello']);
    expect(header(answer, 'connection')).toBe('close');
  });

  test('is told to send the body when the target says nothing', async () => {
    const waiting = (_text: string, target: net.Socket): string => {
      target.once('data', () => target.write(ok()));
      return '';
    };
    const { ask } = await proxied(waiting);
    const answer = await ask(`${head('/up/x', 2, 'Connection: close\r\n')}{}`);
    expect(answer.status).toBe(100);
    expect(answer.rest).toMatch(/^HTTP\/1.1 200 OK[^]*hello$/);
  });

  test.each([
    ['too long', head('/up/x', 2 ** 30), 413],
    ['for nobody', head('/other', 2), 404],
    ['with a head that HTTP forbids', head('/up/x', 2, 'Host: g\r\n'), 400],
  ])(
    'gets the answer alone for a body that is %s, and the connection closes',
    async (_what, text, status) => {
      const answer = await (await proxied(ok())).ask(text);
      expect(answer.status).toBe(status);
      expect(header(answer, 'connection')).toBe('close');
    },
  );
});

describe('a target', () => {
  test.each(['gzip, chunked', 'identity'])(
    'that answers in the transfer coding %s is a 502',
    async (coding) => {
      const raw = `HTTP/1.1 200 OK\r\nTransfer-Encoding: ${coding}\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n`;
      for (const response of [undefined, { headers: { 'x-a': '1' } }]) {
        expect((await (await proxied(raw, { response })).get()).status).toBe(502);
      }
    },
  );

  test.each([0, 50])('that answers twice, %i ms apart, answers one request', async (apart) => {
    const twice = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL';
    const target = await rawTarget((_head, socket) => {
      if (apart === 0) return ok() + twice;
      setTimeout(() => socket.write(twice), apart);
      return ok();
    });
    const { url } = await startServer(
      `endpoints:\n  up: { path: "/up/*", proxy: { target: "${target.url}" } }`,
    );
    for (let round = 0; round < 3; round += 1) {
      const answer = await rawAsk(new URL(url).port, `POST /up/x HTTP/1.1\r\n${CLOSE}`);
      expect(answer).toMatchObject({ status: 200, rest: 'hello' });
      await new Promise((resolve) => setTimeout(resolve, 2 * apart));
    }
    expect(target.received).toHaveLength(3);
  });
});

describe('a protocol upgrade', () => {
  const handshake = (protocol: string): string =>
    `GET /up/x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, close\r\nUpgrade: ${protocol}\r\n\r\n`;

  test.each(['websocket', 'WebSocket', 'SPDY/3.1', 'h2c, websocket'])(
    'to %s is 501 at a proxy endpoint, and the target receives nothing',
    async (protocol) => {
      const { ask, target } = await proxied(ok());
      const answer = await ask(handshake(protocol));
      expect(answer.status).toBe(501);
      expect(JSON.parse(answer.rest)).toMatchObject({
        code: 'BW_REQUEST_NOT_IMPLEMENTED',
        detail: expect.stringContaining('upgrades are not supported') as unknown,
      });
      expect(target.received).toEqual([]);
    },
  );

  test('to another version of HTTP is ignored, and the request answered as usual', async () => {
    const { ask, target } = await proxied(ok());
    expect(await ask(handshake('h2c'))).toMatchObject({ status: 200, rest: 'hello' });
    expect(target.received[0]).not.toMatch(/upgrade/i);
  });

  test('is 501 where a plugin would answer without an endpoint', async () => {
    const { url } = await startServer(`plugins: { echo: { path: ${compilePlugin('echo')} } }`);
    const answer = await rawAsk(new URL(url).port, handshake('websocket'));
    expect(answer.status).toBe(501);
  });

  test('is 404 where there is no endpoint', async () => {
    const { ask } = await proxied(ok());
    expect((await ask(handshake('websocket').replace('/up/', '/other/'))).status).toBe(404);
  });
});

describe('a header that Connection names', () => {
  test('is removed when the client sends it, and kept when a plugin sets it', async () => {
    const request = { headers: { 'x-user': 'guest', 'x-verified': '1' } };
    const { ask, target } = await proxied(ok(), { request });
    await ask(
      'GET /up/x HTTP/1.1\r\nHost: h\r\nX-User: root\r\nX-Own: 1\r\nConnection: close, x-user, X-Own\r\nConnection: x-verified\r\n\r\n',
    );
    expect(target.received[0]).toMatch(/^x-user: guest\r$/im);
    expect(target.received[0]).toMatch(/^x-verified: 1\r$/im);
    expect(target.received[0]).not.toMatch(/^x-own/im);
    expect(target.received[0]).not.toMatch(/root/);
  });

  test('is hidden from plugins, like the other hop-by-hop headers', async () => {
    const { url } = await startServer(`
endpoints: { echo: { path: /echo, plugin: echo } }
plugins: { echo: { path: ${compilePlugin('echo')} } }
`);
    const answer = await rawAsk(
      new URL(url).port,
      'GET /echo HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nX-A: 1\r\nX-B: 2\r\nConnection: close, X-A, host\r\n\r\n',
    );
    const { headers } = JSON.parse(answer.rest) as { headers: object };
    expect(headers).toEqual({ host: 'h', 'x-b': '2' });
  });
});

test.each([
  ['https://evil.example/up/a?b', '/up/a?b'],
  ['HTTP://evil.example/up/a', '/up/a'],
])(
  'a request target in absolute form, %s, sets x-forwarded-host but not x-forwarded-proto',
  async (absolute, path) => {
    for (const request of [undefined, { headers: { 'x-a': '1' } }]) {
      const { ask, target } = await proxied(ok(), { request });
      expect(
        (await ask(`GET ${absolute} HTTP/1.1\r\nHost: real.example\r\nConnection: close\r\n\r\n`)).status,
      ).toBe(200);
      expect(target.received[0]).toContain(`GET ${path} HTTP/1.1\r\n`);
      expect(target.received[0]).toMatch(/^x-forwarded-proto: http\r$/im);
      expect(target.received[0]).toMatch(/^x-forwarded-host: evil\.example\r$/im);
      expect(target.received[0]).not.toContain('real.example');
    }
  },
);

describe('validators of a proxied answer', () => {
  const told = [
    'ETag: "abc"',
    'Last-Modified: Wed, 21 Oct 2026 07:28:00 GMT',
    'Content-Digest: sha-256=:AAAA:',
    'Repr-Digest: sha-256=:AAAA:',
    'Digest: sha-256=AAAA',
    'Content-MD5: AAAA',
    'Accept-Ranges: bytes',
  ];
  const names = told.map((line) => line.split(':')[0]!.toLowerCase());
  const answer = ok(`${told.join('\r\n')}\r\nContent-Type: text/plain\r\n`);

  test.each([
    ['a text', { body: 'other' }],
    ['JSON', { body: { a: 1 } }],
    ['base64', { body: 'AAAA', body_encoding: 'base64' }],
    ['nothing', { body: null }],
    [
      'a text, with the old validators repeated',
      { body: 'other', headers: { etag: '"abc"', digest: 'sha-256=AAAA' } },
    ],
  ])('are removed when a hook replaces the body with %s', async (_what, response) => {
    const { lines, status } = await (await proxied(answer, { response })).get();
    expect(status).toBe(200);
    expect(lines.filter((line) => names.includes(line.split(':')[0]!))).toEqual([]);
  });

  test('stay when a hook sets them for its own body or leaves the body unchanged', async () => {
    const own = { body: 'other', headers: { ETag: '"own"', 'content-digest': 'sha-256=:BBBB:' } };
    const changed = await (await proxied(answer, { response: own })).get();
    expect(header(changed, 'etag')).toBe('"own"');
    expect(header(changed, 'content-digest')).toBe('sha-256=:BBBB:');
    const same = await (
      await proxied(answer, { response: { body: 'hello', headers: { 'x-a': '1' } } })
    ).get();
    expect(same.lines.filter((line) => names.includes(line.split(':')[0]!))).toHaveLength(told.length);
  });

  test('206 becomes 200 without content-range when a hook replaces the body', async () => {
    const part =
      'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4/9\r\nContent-Length: 5\r\n\r\nhello';
    const changed = await (await proxied(part, { response: { body: 'other', body_encoding: 'text' } })).get();
    expect(changed).toMatchObject({ status: 200, rest: 'other' });
    expect(header(changed, 'content-range')).toBeUndefined();
  });

  test('digests of a request body are removed when a hook replaces the body', async () => {
    const { ask, target } = await proxied(ok(), { request: { body: { a: 1 } } });
    await ask(
      `POST /up/x HTTP/1.1\r\nContent-Type: application/json\r\nContent-Digest: sha-256=:AAAA:\r\nContent-Length: 2\r\n${CLOSE}{}`,
    );
    expect(target.received[0]).not.toMatch(/content-digest/i);
    expect(target.received[0]).toContain('{"a":1}');
  });
});

describe('content codings of a request', () => {
  test.each([
    'Content-Encoding: identity, gzip\r\n',
    'Content-Encoding: identity\r\nContent-Encoding: gzip\r\n',
    'Content-Encoding: gzip, identity\r\n',
  ])('a JSON body with %j is passed on as bytes and not parsed', async (lines) => {
    const { ask, target } = await proxied(ok(), { request: { headers: { 'x-a': '1' } } });
    const answer = await ask(
      `POST /up/x HTTP/1.1\r\nContent-Type: application/json\r\n${lines}Content-Length: 2\r\n${CLOSE}{x`,
    );
    expect(answer.status).toBe(200);
    expect(target.received[0]).toMatch(/content-encoding: .*gzip[^]*\{x$/i);
  });

  test('identity counts as no coding, on several lines and in a list', async () => {
    const { ask } = await proxied(ok(), { request: { headers: { 'x-a': '1' } } });
    const lines = 'Content-Encoding: identity, Identity\r\nContent-Encoding: identity\r\n';
    const answer = await ask(
      `POST /up/x HTTP/1.1\r\nContent-Type: application/json\r\n${lines}Content-Length: 2\r\n${CLOSE}{}`,
    );
    expect(answer.status).toBe(200);
  });
});

describe('invalid base64', () => {
  test.each(['character', 'length', 'padding', 'url-alphabet', 'number'])(
    'in an answer of process_endpoint is a bad response of the plugin: %s',
    async (path) => {
      const server = await startServer(`
endpoints: { bad: { path: /${path}, plugin: p }, good: { path: /good, plugin: p } }
plugins: { p: { path: ${compilePlugin('invalid_base64')} } }
`);
      expect(await server.get(`/${path}`)).toMatchObject({
        status: 502,
        body: { code: 'BW_PLUGIN_BAD_RESPONSE', plugin: 'p' },
      });
      expect((await server.get('/good')).status).toBe(200);
    },
  );

  const body = { body: 'AA*A', body_encoding: 'base64' };
  test.each([
    ['after_response', { response: body }],
    ['before_request', { request: body }],
    ['before_request that answers', { request: { response: { status: 200, ...body } } }],
  ])('in the patch of %s makes the server skip the patch', async (_hook, hooks) => {
    expect(await (await proxied(ok(), hooks)).get()).toMatchObject({ status: 200, rest: 'hello' });
  });
});
