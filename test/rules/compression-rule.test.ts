import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import zlib from 'node:zlib';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../dist/index.js';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually, startServer } from '../fixtures/server.js';
import { type Answer, ask, upstream } from '../http/served.js';

const directory = mkdtempSync(join(tmpdir(), 'bw-compression-'));
afterAll(() => rmSync(directory, { recursive: true }));

const TEXT = 'All work and no play makes Jack a dull boy. '.repeat(200);
const ON = 'compression: { encodings: [br, gzip] }';

const accepting = (coding: string, more: http.OutgoingHttpHeaders = {}): http.RequestOptions => ({
  headers: { 'accept-encoding': coding, ...more },
});

const unpacked = ({ headers, body }: Answer): string => {
  const coding = headers['content-encoding'];
  if (coding === 'br') return zlib.brotliDecompressSync(body).toString();
  if (coding === 'gzip') return zlib.gunzipSync(body).toString();
  if (coding === 'zstd')
    return (zlib as unknown as { zstdDecompressSync: (body: Buffer) => Buffer })
      .zstdDecompressSync(body)
      .toString();
  return body.toString();
};

const fixed = async (rule = ON, headers = '{ etag: \'"a"\', accept-ranges: bytes }') => {
  const { url } = await startServer(`
endpoints:
  text: { path: /text, response: { headers: ${headers}, body: "${TEXT}" }, ${rule} }
  short: { path: /short, response: { body: short }, ${rule} }
`);
  return (path: string, options?: http.RequestOptions) => ask(url + path, options);
};

describe('a compressed answer', () => {
  test('has the coding that the client prefers, and headers that fit', async () => {
    const get = await fixed();
    const answer = await get('/text', accepting('gzip;q=0.5, br'));
    expect(unpacked(answer)).toBe(TEXT);
    expect(answer.headers).toMatchObject({
      'content-encoding': 'br',
      'content-length': String(answer.body.length),
      'content-type': 'text/plain; charset=utf-8',
      vary: 'accept-encoding',
      // The bytes are others, so the tag is weak, and ranges of the bytes before do not fit.
      etag: 'W/"a"',
    });
    expect(answer.headers).not.toHaveProperty('accept-ranges');
    const again = await get('/text', accepting('br'));
    expect(again.body.equals(answer.body)).toBe(true);
    const zipped = await get('/text', accepting('gzip'));
    expect([unpacked(zipped), zipped.headers['content-encoding']]).toEqual([TEXT, 'gzip']);
  });

  test('is as before for a client that does not accept a coding, apart from vary', async () => {
    const get = await fixed();
    for (const options of [{}, accepting('zstd'), accepting('br;q=0, gzip;q=0')]) {
      const answer = await get('/text', options);
      expect(answer.body.toString()).toBe(TEXT);
      expect(answer.headers).toMatchObject({
        vary: 'accept-encoding',
        etag: '"a"',
        'accept-ranges': 'bytes',
      });
      expect(answer.headers).not.toHaveProperty('content-encoding');
    }
  });

  test('to HEAD has the headers of GET, without the length', async () => {
    const get = await fixed();
    const { headers, body } = await get('/text', { ...accepting('gzip'), method: 'HEAD' });
    expect(headers).toMatchObject({ 'content-encoding': 'gzip', etag: 'W/"a"', vary: 'accept-encoding' });
    expect(headers).not.toHaveProperty('content-length');
    expect(body).toHaveLength(0);
    expect((await get('/short', { ...accepting('gzip'), method: 'HEAD' })).headers['content-length']).toBe(
      '5',
    );
  });

  test.each([
    ['is shorter than min_size', '/short', ON, '{}'],
    ['is of another type', '/text', ON, '{ content-type: image/png }'],
    ['has no type that is listed', '/text', 'compression: { types: [application/json] }', '{}'],
    ['is encoded already', '/text', ON, '{ content-encoding: gzip }'],
    ['must not be transformed', '/text', ON, '{ cache-control: "public, no-transform" }'],
    ['belongs to an endpoint that turns compression off', '/text', 'compression: { encodings: [] }', '{}'],
  ])('is not made of one that %s', async (_what, path, rule, headers) => {
    const get = await fixed(rule, headers);
    const answer = await get(path, accepting('gzip'));
    expect(answer.headers).not.toHaveProperty('vary');
    expect(answer.body.toString()).toBe(path === '/text' ? TEXT : 'short');
  });

  test('keeps what vary says already', async () => {
    const vary = async (value: string) =>
      (await (await fixed(ON, `{ vary: "${value}" }`))('/text', accepting('gzip'))).headers.vary;
    expect(await vary('origin')).toBe('origin, accept-encoding');
    expect(await vary('Accept-Encoding, origin')).toBe('Accept-Encoding, origin');
    expect(await vary('*')).toBe('*');
    expect(await vary('x-accept-encoding')).toBe('x-accept-encoding, accept-encoding');
  });

  test('of a plugin is compressed behind its hooks; errors are answers, too', async () => {
    const { url } = await startServer(
      `
endpoints: { echo: { path: /echo, plugin: echo }, none: { path: /none, plugin: echo } }
plugins: { echo: { path: ${compilePlugin('whole_documents')} }, tag: { path: ${compilePlugin('tag')}, config: { tag: a } } }
`
        .replace('endpoints:', `server: { port: 0, compression: { min_size: 0 } }\nendpoints:`)
        .trim(),
    );
    const answer = await ask(`${url}/echo?${TEXT.replaceAll(' ', '+')}`, accepting('gzip'));
    expect(answer.headers).toMatchObject({ 'content-encoding': 'gzip', 'x-last': 'a' });
    expect(unpacked(answer)).toContain('All work and no play');
    const missing = await ask(`${url}/missing`, accepting('gzip'));
    expect([missing.status, JSON.parse(unpacked(missing))]).toMatchObject([
      404,
      { code: 'BW_ROUTE_NOT_FOUND' },
    ]);
  });

  test('is made with each coding of this Node.js', async () => {
    const codings = ['br', 'gzip', ...('createZstdCompress' in zlib ? ['zstd'] : [])];
    for (const level of ['fast', 'balanced', 'small']) {
      const get = await fixed(`compression: { encodings: [zstd, br, gzip], level: ${level} }`);
      for (const coding of codings) {
        const answer = await get('/text', accepting(coding));
        expect([coding, answer.headers['content-encoding'], unpacked(answer)]).toEqual([
          coding,
          coding,
          TEXT,
        ]);
      }
    }
  });

  test('follows a reload', async () => {
    const yaml = (rule: string): string =>
      `server: { port: 0${rule} }\nendpoints: { text: { path: /text, response: { body: "${TEXT}" } } }`;
    const server = await startServer(yaml(''));
    const coding = async () =>
      (await ask(`${server.url}/text`, accepting('gzip'))).headers['content-encoding'];
    expect(await coding()).toBeUndefined();
    expect((await server.change(yaml(', compression: {}'))).settings).toEqual(['server.compression']);
    expect(await coding()).toBe('gzip');
    expect((await server.change(yaml(''))).needsRestart).toEqual([]);
    expect(await coding()).toBeUndefined();
  });
});

describe('a streamed answer', () => {
  const proxied = (url: string, more = '') =>
    startServer(`endpoints: { up: { path: "/up/*", proxy: { target: "${url}" }, compression: {${more}} } }`);

  const begin = (url: string, coding = 'gzip'): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      http.get(url, { agent: false, ...accepting(coding) }, resolve).on('error', reject);
    });

  test.each(['gzip', 'br'])('is compressed with %s as it arrives', async (coding) => {
    const whole = Buffer.alloc(8 * 1024 * 1024, TEXT);
    const handler: http.RequestListener = (_request, response) =>
      void response
        .writeHead(200, { 'content-type': 'text/plain', 'content-length': whole.length })
        .end(whole);
    await upstream(handler, async (target) => {
      const { url } = await proxied(target);
      const answer = await ask(`${url}/up/x`, accepting(coding));
      expect(answer.headers).not.toHaveProperty('content-length');
      expect(answer.body.length).toBeLessThan(whole.length / 10);
      expect(unpacked(answer) === whole.toString()).toBe(true);
    });
  });

  test('reaches the client event by event', async () => {
    let send: (text: string) => void = () => undefined;
    const handler: http.RequestListener = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      send = (text) => void response.write(text);
    };
    await upstream(handler, async (target) => {
      const { url } = await proxied(target, ' types: [text/event-stream] ');
      for (const coding of ['gzip', 'br']) {
        const answer = await begin(`${url}/up/x`, coding);
        const decoder = coding === 'gzip' ? zlib.createGunzip() : zlib.createBrotliDecompress();
        let received = '';
        answer.pipe(decoder).on('data', (chunk: Buffer) => (received += chunk.toString()));
        for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
          send(event);
          await eventually(() => received.endsWith(event), `the event ${event.trim()}`);
        }
        answer.destroy();
      }
    });
  });

  test('of events is not compressed unless its type is listed', async () => {
    const handler: http.RequestListener = (_request, response) =>
      void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(TEXT);
    await upstream(handler, async (target) => {
      const { url } = await proxied(target);
      const answer = await ask(`${url}/up/x`, accepting('gzip'));
      expect(answer.headers).not.toHaveProperty('content-encoding');
      expect(answer.body.toString()).toBe(TEXT);
    });
  });

  test('ends at its source when the client goes away, and breaks off when its source does', async () => {
    let open = 0;
    let cut: () => void = () => undefined;
    const handler: http.RequestListener = (_request, response) => {
      open += 1;
      response.on('close', () => (open -= 1));
      cut = () => response.destroy();
      response.writeHead(200, { 'content-type': 'text/plain' }).write(TEXT);
    };
    await upstream(handler, async (target) => {
      const { url } = await proxied(target);
      (await begin(`${url}/up/x`)).destroy();
      await eventually(() => open === 0, 'the end of the source');
      const answer = await begin(`${url}/up/x`);
      answer.once('data', () => cut());
      const error = await new Promise((resolve) =>
        answer
          .on('error', resolve)
          .on('end', () => resolve(null))
          .resume(),
      );
      expect(error).toMatchObject({ code: 'ECONNRESET' });
    });
  });

  test('waits for a client that does not read', async () => {
    let sent = 0;
    const chunk = Buffer.from(Array.from({ length: 64 * 1024 }, () => Math.random() * 256));
    const handler: http.RequestListener = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      const write = (): void => {
        while (response.writable && response.write(chunk)) sent += chunk.length;
        response.once('drain', write);
      };
      write();
    };
    await upstream(handler, async (target) => {
      const { url } = await proxied(target);
      const answer = await begin(`${url}/up/x`);
      // Time for a server without back-pressure to take far more than its buffers hold.
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(sent).toBeLessThan(64 * 1024 * 1024);
      answer.destroy();
    });
  });

  test('of a part of a file passes unchanged', async () => {
    writeFileSync(join(directory, 'long.txt'), TEXT);
    const { url } = await startServer(
      `endpoints: { site: { path: "/*", files: { directory: ${directory} }, ${ON} } }`,
    );
    const part = await ask(`${url}/long.txt`, accepting('gzip', { range: 'bytes=0-1999' }));
    expect(part).toMatchObject({ status: 206, headers: { 'content-length': '2000' } });
    expect(part.headers).not.toHaveProperty('content-encoding');
    const whole = await ask(`${url}/long.txt`, accepting('gzip'));
    expect([whole.headers['content-encoding'], unpacked(whole)]).toEqual(['gzip', TEXT]);
    const etag = whole.headers.etag!;
    expect(etag).toMatch(/^W\//);
    const unchanged = await ask(`${url}/long.txt`, accepting('gzip', { 'if-none-match': etag }));
    expect(unchanged).toMatchObject({ status: 304, headers: { etag, vary: 'accept-encoding' } });
    const strong = etag.slice(2);
    const plain = await ask(`${url}/long.txt`, { headers: { 'if-none-match': strong } });
    expect(plain).toMatchObject({ status: 304, headers: { etag: strong } });
  });
});

describe('a configuration of compression', () => {
  test.each([
    ['{ encodings: [deflate] }', 'encodings[0]: expected "br", "gzip" or "zstd", found "deflate"'],
    ['{ types: ["*/*"] }', 'expected a media type such as "text/html"'],
    ['{ types: [Text/HTML] }', 'expected a media type such as "text/html"'],
    ['{ level: 11 }', 'level'],
    ['{ min_size: -1 }', 'min_size'],
    ['gzip', 'compression'],
  ])('%s is refused', (value, message) => {
    const parse = () => parseConfig(`server: { compression: ${value} }`, { directory });
    expect(parse).toThrow(message);
  });
});
