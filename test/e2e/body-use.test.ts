import { createHash } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { startServer } from '../fixtures/server.js';

/** A plugin states which bodies it needs. The server streams all other bodies. */
const MIB = 1024 * 1024;
const CHUNK = Buffer.alloc(64 * 1024, 'x');
const targets: http.Server[] = [];
afterAll(() => {
  for (const target of targets) target.closeAllConnections();
});

async function targetOf(handler: http.RequestListener): Promise<string> {
  const target = http.createServer(handler);
  targets.push(target);
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve).unref());
  return `http://127.0.0.1:${(target.address() as AddressInfo).port}`;
}

const serverFor = (target: string, plugins: string, endpoint = '') =>
  startServer(`server: { port: 0, body_limit: 64KiB }
endpoints: { up: { path: "/up/*", proxy: { target: "${target}" }${endpoint} } }
plugins: { ${plugins} }
`);

const idle = (more = ''): string => `idle: { path: ${compilePlugin('needs_no_body')}${more} }`;

interface Mirrored {
  readonly headers: Record<string, string>;
  readonly trailers: Record<string, string>;
  readonly length: number;
  readonly sha256: string;
}

/** Answers with a description of the request. */
const mirror: http.RequestListener = (request, response) => {
  const hash = createHash('sha256');
  let length = 0;
  request.on('data', (chunk: Buffer) => {
    length += chunk.length;
    hash.update(chunk);
  });
  request.on('end', () => {
    const { headers, trailers } = request;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ headers, trailers, length, sha256: hash.digest('hex') }));
  });
};

async function post(url: string, body: Buffer, headers: Record<string, string> = {}) {
  const answer = await fetch(`${url}/up/x`, { method: 'POST', body, headers });
  return { status: answer.status, headers: answer.headers, seen: (await answer.json()) as Mirrored };
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('a plugin whose manifest says that it needs no bodies', () => {
  test('does not hold an upload: trailers reach the target, and a target that does not read slows the client down', async () => {
    let waiting = 0;
    const target = await targetOf((request, response) => {
      waiting += 1;
      setTimeout(() => mirror(request, response), 1000);
    });
    const { url } = await serverFor(target, idle(), ', body_limit: 64MiB');
    const request = http.request(`${url}/up/x`, {
      method: 'POST',
      agent: false,
      headers: { 'transfer-encoding': 'chunked', trailer: 'x-sum, host' },
    });
    const answered = new Promise<Mirrored>((resolve, reject) => {
      request.on('error', reject).on('response', (response) => {
        let text = '';
        response.on('data', (part: Buffer) => (text += part.toString()));
        response.on('end', () => resolve(JSON.parse(text) as Mirrored));
      });
    });
    let sent = 0;
    let sentBeforeRead = 0;
    for (; sent < 64 * MIB; sent += CHUNK.length) {
      if (request.write(CHUNK)) continue;
      const drained = await Promise.race([
        new Promise((resolve) => request.once('drain', () => resolve(true))),
        sleep(400, false),
      ]);
      if (drained === true) continue;
      sentBeforeRead ||= sent;
      await new Promise((resolve) => request.once('drain', resolve));
    }
    request.addTrailers({ 'X-Sum': 'abc', Host: 'evil.example' });
    request.end();
    const seen = await answered;
    expect(seen).toMatchObject({ length: 64 * MIB, trailers: { 'x-sum': 'abc' } });
    expect(seen.trailers).not.toHaveProperty('host');
    expect(seen.headers).toMatchObject({ 'x-seen': 'streamed', 'transfer-encoding': 'chunked' });
    expect(waiting).toBe(1);
    // The socket buffers between client, server and target hold some MiB.
    expect(sentBeforeRead).toBeGreaterThan(0);
    expect(sentBeforeRead).toBeLessThan(32 * MIB);
  });

  test('does not hold a response: the first part reaches the client before the end', async () => {
    const target = await targetOf((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.write('first');
    });
    const server = await serverFor(target, idle());
    const answer = await fetch(`${server.url}/up/x`);
    expect(answer.headers.get('x-seen')).toBe('streamed');
    const first = await answer.body!.getReader().read();
    expect(Buffer.from(first.value as Uint8Array).toString()).toBe('first');
    expect(server.plugin('idle').body).toEqual({ request: 'none', response: 'none' });
  });

  test('fails when it changes a body, and the body stays unchanged', async () => {
    const target = await targetOf(mirror);
    const { url, log } = await serverFor(target, idle());
    const answer = await fetch(`${url}/up/changes`, { method: 'POST', body: 'mine' });
    expect(await answer.json()).toMatchObject({ sha256: sha256(Buffer.from('mine')) });
    for (const direction of ['request', 'response']) {
      expect(log).toContainEqual(
        expect.objectContaining({
          level: 'warn',
          fields: expect.objectContaining({ plugin: 'idle', code: 'BW_PLUGIN_BAD_RESPONSE' }) as object,
          message: expect.stringContaining(
            `it changes the body of the ${direction}, and body.${direction} is none`,
          ) as unknown,
        }),
      );
    }
  });

  test('receives bodies up to the limit when another plugin or the configuration needs bodies', async () => {
    const target = await targetOf(mirror);
    for (const plugins of [
      `${idle()}, q: { path: ${compilePlugin('patches_request')} }`,
      idle(', body: { request: buffer }'),
    ]) {
      const { url } = await serverFor(target, plugins);
      expect((await post(url, Buffer.from('x'))).seen.headers).toMatchObject({ 'x-seen': 'held' });
      expect((await fetch(`${url}/up/x`, { method: 'POST', body: Buffer.alloc(65 * 1024) })).status).toBe(
        413,
      );
    }
  });
});

test('`body: none` in the configuration keeps bodies from a plugin', async () => {
  const target = await targetOf(mirror);
  const q = `q: { path: ${compilePlugin('patches_request')}, config: { headers: { x-q: "1" } }, body: none }`;
  const server = await serverFor(target, q, ', body_limit: 1MiB');
  const { seen } = await post(server.url, Buffer.alloc(MIB));
  expect(seen).toMatchObject({ length: MIB, headers: { 'x-q': '1' } });
  expect(server.plugin('q').body).toEqual({ request: 'none', response: 'none' });
});

test('when a hook needs response bodies, a response beyond the body limit is a 502', async () => {
  const target = await targetOf((_request, response) => void response.end(Buffer.alloc(MIB)));
  const { url } = await serverFor(target, idle(', body: { response: buffer }'));
  const answer = await fetch(`${url}/up/x`);
  expect(answer.status).toBe(502);
  expect(await answer.json()).toMatchObject({ code: 'BW_PROXY_UPSTREAM' });
});

describe('a compressed body', () => {
  const coded = gzipSync('{"a":1}');

  test.each(['gzip', 'gzip, br', 'deflate'])(
    'of a request (%s) reaches the target byte for byte when no hook changes it',
    async (coding) => {
      const target = await targetOf(mirror);
      const { url } = await serverFor(target, `t: { path: ${compilePlugin('tag')}, config: { tag: a } }`);
      const headers = { 'content-encoding': coding, 'content-type': 'application/json' };
      const { seen } = await post(url, coded, headers);
      expect(seen).toMatchObject({ sha256: sha256(coded), headers: { 'content-encoding': coding } });
    },
  );

  test.each([
    ['loses its content-encoding', {}, undefined],
    ['has the content-encoding that the hook sets', { headers: { 'content-encoding': 'br' } }, 'br'],
  ])('of a request %s when a hook replaces the body', async (_what, more, coding) => {
    const target = await targetOf(mirror);
    const config = JSON.stringify({ body: 'bWluZQ==', body_encoding: 'base64', ...more });
    const { url } = await serverFor(
      target,
      `q: { path: ${compilePlugin('patches_request')}, config: ${config} }`,
    );
    const { seen } = await post(url, coded, { 'content-encoding': 'gzip' });
    expect(seen.sha256).toBe(sha256(Buffer.from('mine')));
    expect(seen.headers['content-encoding']).toBe(coding);
  });

  test('of a response is unchanged when the hook does not name the body', async () => {
    const target = await targetOf((_request, response) => {
      response.writeHead(200, {
        'content-encoding': 'gzip',
        'content-type': 'application/json',
        etag: '"a"',
      });
      response.end(coded);
    });
    const { url } = await serverFor(target, `t: { path: ${compilePlugin('tag')}, config: { tag: a } }`);
    const answer = await new Promise<http.IncomingMessage>((resolve) => http.get(`${url}/up/x`, resolve));
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    expect(answer.headers).toMatchObject({ 'content-encoding': 'gzip', etag: '"a"', 'x-last': 'a' });
    expect(Buffer.concat(chunks)).toEqual(coded);
  });
});
