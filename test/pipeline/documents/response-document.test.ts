import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { patchOf } from '../patch-of.js';
import type { JsonObject } from '../../../dist/config/types.js';
import type { HeaderMap, PluginResponse } from '../../../dist/plugins/plugin.js';
import { ResponseDocument, heldResponse } from '../../../dist/pipeline/documents/response-document.js';

const REQUEST = { id: 'r', method: 'GET', path: '/p', route: '/{x}' };
const JSON_TYPE = { 'content-type': 'application/json' };

function documentOf(headers: HeaderMap, body: Buffer | string | null, context = '{}'): ResponseDocument {
  return new ResponseDocument({ status: 200, headers, body }, REQUEST, { context });
}

function view(document: ResponseDocument): JsonObject {
  return JSON.parse(document.toJson().toString()) as JsonObject;
}

test('the document has every member the ABI promises', () => {
  expect(view(documentOf(JSON_TYPE, '{"a":1}', '{"user":7}'))).toEqual({
    status: 200,
    headers: JSON_TYPE,
    body: { a: 1 },
    body_encoding: 'json',
    context: { user: 7 },
    request: REQUEST,
  });
});

test('a patch that does not name the body leaves its bytes unchanged', () => {
  const bytes = Buffer.from('{ "n": 1.0, "big": 12345678901234567890 }');
  const document = documentOf({ ...JSON_TYPE, 'content-length': String(bytes.length) }, bytes);
  document.merge(patchOf({ status: 201, headers: { 'X-A': 'b' }, request: { path: '/forged' } }));

  const response = document.toResponse();
  expect(response.status).toBe(201);
  expect(response.headers).toMatchObject({ 'x-a': 'b', 'content-length': String(bytes.length) });
  expect(response.body).toBe(bytes);
  expect(view(document).request).toEqual(REQUEST);
});

test('a patched body replaces bytes, length and coding', () => {
  const zipped = gzipSync('hello');
  const headers = {
    'content-type': 'text/plain',
    'content-encoding': 'gzip',
    'content-length': String(zipped.length),
  };
  const document = documentOf(headers, zipped);
  expect(view(document)).toMatchObject({ body_encoding: 'base64', body: zipped.toString('base64') });

  document.merge(patchOf({ body: 'plain', body_encoding: 'text' }));
  expect(document.toResponse()).toEqual({
    status: 200,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: Buffer.from('plain'),
  });
});

test.each([
  ['a body that only claims to be JSON', 'application/json', '{oops', 'text', '{oops'],
  ['text that is not UTF-8', 'text/plain', Buffer.from([0xff]), 'base64', '/w=='],
  ['a string without a content-type', '', 'hi', 'text', 'hi'],
])('carries %s by its real type', (_what, type, body, encoding, shown) => {
  const headers: HeaderMap = type === '' ? {} : { 'content-type': type };
  expect(view(documentOf(headers, body))).toMatchObject({ body_encoding: encoding, body: shown });
});

test.each<[string, JsonObject]>([
  ['a status below 200', { status: 100 }],
  ['a status that is a string', { status: '200' }],
  ['a removed status', { status: null }],
  ['a header with a line feed', { headers: { a: 'b\nc' } }],
  ['a header list with a number', { headers: { 'set-cookie': ['a', 1] } }],
  ['101 headers', { headers: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`h${i}`, ''])) }],
  ['64 KiB of headers', { headers: { a: 'x'.repeat(64 * 1024) } }],
])('refuses %s, without any change', (_what, patch) => {
  const document = documentOf(JSON_TYPE, '1');
  const before = document.toJson();
  expect(() => document.merge(patchOf(patch))).toThrow(expect.objectContaining({ name: 'InvalidAnswer' }));
  expect(document.toJson()).toBe(before);
});

test('removed headers and context become empty', () => {
  const document = documentOf(JSON_TYPE, '1', '{"a":1}');
  document.merge(patchOf({ headers: null, context: null }));
  expect(view(document)).toMatchObject({ headers: {}, context: {} });
});

test('a stream is buffered up to the limit and streamed beyond it; a broken stream is the target’s fault', async () => {
  const response = (body: Readable) => ({ status: 200, headers: {}, body });

  expect((await heldResponse(response(Readable.from(['ab', Buffer.from('cd')])), 'auto', 4)).body).toEqual(
    Buffer.from('abcd'),
  );
  const long = (
    await heldResponse(response(Readable.from([Buffer.from('ab'), Buffer.from('cde')])), 'auto', 4)
  ).body;
  expect(long).toBeInstanceOf(Readable);
  expect(await (long as Readable).map(String).toArray()).toEqual(['abcde']);
  const broken = new Readable({ read: () => broken.destroy(new Error('reset')) });
  await expect(heldResponse(response(broken), 'auto', 4)).rejects.toThrow(
    expect.objectContaining({ code: 'BW_PROXY_UPSTREAM' }),
  );
});

test('a body of any type is unchanged by a patch of other members', () => {
  const type = fc.constantFrom('application/json', 'text/plain', 'image/png');
  fc.assert(
    fc.property(type, fc.uint8Array(), (contentType, bytes) => {
      const document = documentOf({ 'content-type': contentType }, Buffer.from(bytes));
      document.merge(patchOf({ headers: { a: 'b' } }));
      expect(document.toResponse().body).toEqual(Buffer.from(bytes));
      expect(typeof view(document)).toBe('object');
    }),
  );
});

describe('a body that takes longer than hooks wait for', () => {
  const held = async (body: PassThrough, use: 'auto' | 'buffer') => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] });
    try {
      body.write('first ');
      const response = heldResponse({ status: 200, headers: {}, body }, use, 1024);
      const settled = Promise.allSettled([response as Promise<PluginResponse>]);
      await new Promise((resolve) => setImmediate(resolve));
      await jest.advanceTimersByTimeAsync(30_000);
      return (await settled)[0];
    } finally {
      jest.useRealTimers();
    }
  };

  test('is streamed', async () => {
    const body = new PassThrough();
    expect(await held(body, 'auto')).toMatchObject({ status: 'fulfilled', value: { body } });
    body.end('last');
    expect(await text(body)).toBe('first last');
  });

  test('is refused where a hook needs it', async () => {
    const body = new PassThrough();
    expect(await held(body, 'buffer')).toMatchObject({ reason: { code: 'BW_PROXY_TIMEOUT' } });
    expect(body.destroyed).toBe(true);
  });
});
