import type { OutgoingHttpHeaders } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { startServer } from '../fixtures/server.js';
import { ask, problemOf, upstream } from '../http/served.js';

const asking = async (endpoint: string, server = '') => {
  const { url } = await startServer(
    `server: { port: 0${server} }\nendpoints: { a: { path: "/a", ${endpoint} }, b: { path: /b, response: { body: b } } }`,
  );
  return (headers: OutgoingHttpHeaders = {}, method = 'GET', path = '/a') =>
    ask(url + path, { method, headers });
};

describe('the cache rule', () => {
  test('gives answers a tag, and clients that have the answer 304', async () => {
    const get = await asking('response: { body: hello }, cache: { control: "public, max-age=60" }');
    const answer = await get();
    const etag = answer.headers.etag!;
    expect(answer.headers).toMatchObject({
      etag: expect.stringMatching(/^"[\w-]{27}"$/),
      'cache-control': 'public, max-age=60',
    });
    expect((await get()).headers.etag).toBe(etag);
    expect((await get({}, 'HEAD')).headers.etag).toBe(etag);
    for (const method of ['GET', 'HEAD']) {
      const unchanged = await get({ 'if-none-match': `"other", ${etag}` }, method);
      expect(unchanged).toMatchObject({
        status: 304,
        headers: { etag, 'cache-control': 'public, max-age=60' },
      });
      expect(unchanged.body).toHaveLength(0);
      for (const name of ['content-type', 'content-length'])
        expect(unchanged.headers).not.toHaveProperty(name);
    }
    expect((await get({ 'if-none-match': '"other"' })).status).toBe(200);
    const failed = await get({ 'if-match': '"other"' });
    expect([failed.status, problemOf(failed)['code']]).toEqual([412, 'BW_REQUEST_PRECONDITION']);
  });

  test('leaves other methods and other statuses alone', async () => {
    const get = await asking('response: { status: 404, body: hello }, cache: { control: no-cache }');
    expect((await get()).headers).not.toHaveProperty('etag');
    expect((await get()).headers).not.toHaveProperty('cache-control');
    const post = await (
      await asking('response: { body: hello }, cache: {}')
    )({ 'if-none-match': '*' }, 'POST');
    expect(post.status).toBe(200);
    expect(post.headers).not.toHaveProperty('etag');
  });

  test('keeps what the answer says itself', async () => {
    const get = await asking(
      `response: { headers: { etag: '"mine"', cache-control: private }, body: hello }, cache: { control: public }`,
    );
    expect((await get()).headers).toMatchObject({ etag: '"mine"', 'cache-control': 'private' });
    expect((await get({ 'if-none-match': 'W/"mine"' })).status).toBe(304);
  });

  test('of the server applies to endpoints without one', async () => {
    const get = await asking(
      'response: { body: hello }, cache: { etag: false }',
      ', cache: { control: no-cache }',
    );
    expect((await get()).headers).not.toHaveProperty('etag');
    expect((await get()).headers).not.toHaveProperty('cache-control');
    expect((await get({}, 'GET', '/b')).headers).toMatchObject({ 'cache-control': 'no-cache' });
    expect((await get({}, 'GET', '/b')).headers).toHaveProperty('etag');
  });

  test('tags what a streamed answer brings, and ends a stream that is not needed', async () => {
    let ended = 0;
    await upstream(
      (_request, response) => {
        response.on('close', () => (ended += 1));
        response.writeHead(200, { etag: '"up"', 'content-type': 'text/plain' });
        response.write('x'.repeat(1024 * 1024));
        if (_request.headers['x-end'] !== undefined) response.end();
      },
      async (target) => {
        const get = await asking(`proxy: { target: "${target}" }, cache: {}, methods: [GET]`);
        expect((await get({ 'if-none-match': '"up"' })).status).toBe(304);
        expect((await get({ 'x-end': '1' })).body).toHaveLength(1024 * 1024);
        expect(ended).toBe(2);
      },
    );
  });

  test('works with compression: one tag for the meaning, in weak form for compressed bytes', async () => {
    const get = await asking(`response: { body: "${'text '.repeat(1000)}" }, cache: {}, compression: {}`);
    const plain = (await get()).headers.etag!;
    const zipped = (await get({ 'accept-encoding': 'gzip' })).headers;
    expect([zipped['content-encoding'], zipped.etag]).toEqual(['gzip', `W/${plain}`]);
    const unchanged = await get({ 'accept-encoding': 'gzip', 'if-none-match': zipped.etag });
    expect(unchanged).toMatchObject({ status: 304, headers: { etag: zipped.etag, vary: 'accept-encoding' } });
    expect((await get({ 'if-none-match': plain })).headers.etag).toBe(plain);
  });
});
