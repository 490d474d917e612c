import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { patchOf } from '../patch-of.js';
import type { JsonObject } from '../../../dist/config/types.js';
import type { IncomingRequest } from '../../../dist/pipeline/documents/incoming-request.js';
import { RequestDocument } from '../../../dist/pipeline/documents/request-document.js';
import { endpoint, sampleRequest } from './sample-request.js';

type Parts = Partial<IncomingRequest> & { body?: string | Buffer; params?: Record<string, string> };

function documentOf({ body, ...parts }: Parts = {}): RequestDocument {
  return new RequestDocument(sampleRequest(parts), body === undefined ? null : Buffer.from(body));
}

function typed(type: string, body: string | Buffer): RequestDocument {
  return documentOf({ body, rawHeaders: ['Content-Type', type] });
}

function view(document: RequestDocument): JsonObject {
  return JSON.parse(document.toJson().toString()) as JsonObject;
}

test('the document has every member the ABI promises', () => {
  const document = documentOf({
    method: 'POST',
    endpoint: endpoint('/things/{id}', { kind: 'any-plugin' }),
    params: { id: '1' },
    search: 'a=1&a=2&b=x+y%26z&c',
    rawHeaders: [
      'Host',
      'h',
      'X-A',
      '1',
      'x-a',
      '2',
      'Cookie',
      'a=1',
      'cookie',
      'b=2',
      'Content-Type',
      'text/plain',
    ],
    body: 'hällo',
  });

  expect(view(document)).toEqual({
    id: 'request-1',
    method: 'POST',
    path: '/things/1',
    route: '/things/{id}',
    params: { id: '1' },
    query: { a: ['1', '2'], b: 'x y&z', c: '' },
    headers: { host: 'h', 'x-a': '1, 2', cookie: 'a=1; b=2', 'content-type': 'text/plain' },
    remote: { address: '192.0.2.1', port: 5000 },
    context: {},
    body_encoding: 'text',
    body: 'hällo',
  });
});

test('a JSON body is carried exactly as it was sent, also after patches of other members', () => {
  const body = '{ "big": 12345678901234567890,\n "again": 1, "again": 2, "__proto__": {"x": 1} }';
  const document = typed('application/vnd.api+json; charset=utf-8', body);
  document.merge(patchOf({ headers: { 'X-Seen': 'yes' } }));

  expect(document.toJson()).toContain(body);
  expect(document.bytes?.toString()).toBe(body);
  expect(document.headers['x-seen']).toBe('yes');
});

test.each([4_095, 4_096, 100_000])('a JSON body of %i bytes is carried, patched and kept', (length) => {
  const body = `{"long":"${'x'.repeat(length - 11)}"}`;
  const document = typed('application/json', body);
  expect(document.toJson().toString()).toContain(`"body":${body}}`);
  expect(document.toJson()).toHaveLength(document.toJson().toString().length);

  document.merge(patchOf({ context: { a: 1 } }));
  expect(view(document)).toMatchObject({ context: { a: 1 }, body: JSON.parse(body) as JsonObject });
  document.merge(patchOf({ body: { long: 'short' } }));
  expect(view(document)).toMatchObject({ context: { a: 1 }, body: { long: 'short' } });
  expect(document.bytes?.toString()).toBe('{"long":"short"}');
});

test.each([
  ['text/html', 'text', '<p>'],
  ['application/x-www-form-urlencoded', 'text', 'a=1'],
  ['application/atom+xml', 'text', '<a/>'],
  ['application/octet-stream', 'base64', 'AQI='],
  ['image/png', 'base64', 'AQI='],
])('carries %s as %s', (type, encoding, body) => {
  const bytes = encoding === 'base64' ? Buffer.from(body, 'base64') : body;
  expect(view(typed(type, bytes))).toMatchObject({ body_encoding: encoding, body });
});

test('an empty body is null', () => {
  expect(view(typed('application/json', ''))).toMatchObject({ body: null });
  expect(view(documentOf())).toMatchObject({ body: null });
});

test.each([
  ['application/json', Buffer.from('{"a":'), 'JSON'],
  ['application/json', Buffer.from([0x22, 0xff, 0x22]), 'UTF-8'],
  ['text/plain', Buffer.from([0xc3, 0x28]), 'UTF-8'],
  ['application/json', Buffer.from('['.repeat(100_000) + ']'.repeat(100_000)), 'deeper'],
])('refuses a %s body that does not match its content-type', (type, body, word) => {
  expect(() => typed(type, body)).toThrow(expect.objectContaining({ code: 'BW_REQUEST_INVALID' }));
  expect(() => typed(type, body)).toThrow(word);
});

test('does not count brackets inside strings as nesting', () => {
  const body = JSON.stringify({ text: '[{"\\'.repeat(500) });
  expect(view(typed('application/json', body)).body).toEqual(JSON.parse(body));
});

test.each([
  ['q=100%', { q: '100%' }],
  ['a=%zz', { a: '%zz' }],
  ['a=%20%', { a: ' %' }],
  ['a=%C3%A4%FF', { a: '%C3%A4%FF' }],
  ['a=%C3%A4-%FF', { a: 'ä-%FF' }],
  ['%=%4', { '%': '%4' }],
  ['a+%=b+%', { 'a %': 'b %' }],
])('keeps text in the query %j that is not percent-encoded UTF-8', (search, query) => {
  expect(view(documentOf({ search })).query).toEqual(query);
});

test('a member named __proto__ stays data', () => {
  const { query } = view(documentOf({ search: '__proto__=1&__proto__=2', rawHeaders: ['__proto__', 'x'] }));
  expect(Object.entries(query as JsonObject)).toEqual([['__proto__', ['1', '2']]]);
});

test('a patch changes what later plugins see, except the facts id, remote and route', () => {
  const document = typed('application/json', '{"name":"x","kept":1}');
  document.merge(
    patchOf({
      id: 'forged',
      remote: { address: 'forged' },
      route: '/forged',
      method: 'PUT',
      path: '/other',
      query: { page: '2' },
      body: { name: 'y' },
      context: { user: { id: 7 } },
      extra: true,
    }),
  );

  expect(view(document)).toMatchObject({
    id: 'request-1',
    remote: { address: '192.0.2.1', port: 5000 },
    route: null,
    method: 'PUT',
    path: '/other',
    query: { page: '2' },
    body: { name: 'y', kept: 1 },
    context: { user: { id: 7 } },
    extra: true,
  });
  expect(document.bytes?.toString()).toBe('{"name":"y","kept":1}');
  expect(document.changedQuery).toEqual({ page: '2' });
});

test('header names in a patch are case-insensitive, and null removes a header', () => {
  const document = documentOf({ rawHeaders: ['X-Tag', 'old', 'x-gone', '1'] });
  document.merge(
    patchOf({
      headers: { 'X-TAG': 'new', 'X-Gone': null, 'Content-Length': '999', Connection: 'close' },
    }),
  );
  expect(document.headers).toEqual({ 'x-tag': 'new' });
});

test('a new body sets its content-type and removes the old length', () => {
  const document = documentOf({
    rawHeaders: ['content-type', 'text/plain', 'content-length', '2'],
    body: 'hi',
  });
  document.merge(patchOf({ body: { a: 1 } }));
  expect(view(document)).toMatchObject({ body: { a: 1 }, body_encoding: 'json' });
  expect(document.headers).toEqual({ 'content-type': 'application/json' });

  document.merge(
    patchOf({ body: 'AQI=', body_encoding: 'base64', headers: { 'content-type': 'image/png' } }),
  );
  expect(document.bytes).toEqual(Buffer.from([1, 2]));
  expect(document.headers).toEqual({ 'content-type': 'image/png' });

  document.merge(patchOf({ body: null }));
  expect(document.bytes).toBeNull();
  expect(view(document).body).toBeNull();
});

test.each<[string, JsonObject]>([
  ['a header that is not a string', { headers: { a: 1 } }],
  ['a header with a line break', { headers: { a: 'x\r\nset-cookie: y' } }],
  ['a header name that is not a token', { headers: { 'a b': 'x' } }],
  ['headers that are a list', { headers: [] }],
  ['a method that is not a token', { method: 'GET /' }],
  ['a removed method', { method: null }],
  ['a path without "/"', { path: 'x' }],
  ['a path with a query', { path: '/x?y' }],
  ['a path with a blank', { path: '/x y' }],
  ['a removed path', { path: null }],
  ['a query value that is a number', { query: { a: 1 } }],
  ['a query value that has no UTF-8 form', { query: { a: '\ud800' } }],
  ['params that are a list', { params: ['x'] }],
  ['a context that is a string', { context: 'x' }],
  ['an unknown encoding', { body: 'x', body_encoding: 'rot13' }],
  ['base64 that is none', { body: '!!!!', body_encoding: 'base64' }],
  ['text that is an object', { body: {}, body_encoding: 'text' }],
])('refuses %s, without any change', (_what, patch) => {
  const document = documentOf({ rawHeaders: ['x', 'y'] });
  const before = document.toJson();
  expect(() => document.merge(patchOf({ extra: 1, ...patch }))).toThrow(
    expect.objectContaining({ name: 'InvalidAnswer' }),
  );
  expect(document.toJson()).toBe(before);
});

test('the document carries any JSON body unchanged', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (body) => {
      const document = typed('application/json', body);
      expect(view(document).body).toEqual(JSON.parse(body));
      expect(document.bytes?.toString()).toBe(body);
    }),
  );
});

test('the document carries any bytes as base64', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
      const { body } = view(typed('application/x-thing', Buffer.from(bytes)));
      expect(Buffer.from(body as string, 'base64')).toEqual(Buffer.from(bytes));
    }),
  );
});

test('the document is complete JSON after any patch', () => {
  const key = fc.constantFrom(
    'id',
    'method',
    'path',
    'query',
    'headers',
    'body',
    'body_encoding',
    'context',
    'params',
  );
  fc.assert(
    fc.property(fc.dictionary(key, fc.jsonValue()), (patch) => {
      const document = typed('text/plain', 'x');
      try {
        document.merge(patchOf(patch));
      } catch (error) {
        expect((error as Error).name).toBe('InvalidAnswer');
      }
      expect(Object.keys(view(document))).toEqual(
        expect.arrayContaining([
          'id',
          'method',
          'path',
          'params',
          'query',
          'headers',
          'context',
          'body',
          'body_encoding',
        ]),
      );
    }),
  );
});

test('the assembled JSON equals the JSON of its members', () => {
  const text = fc.string({ unit: 'binary', maxLength: 12 });
  const header = fc.oneof(fc.constantFrom('Host', 'host', 'Cookie', 'Set-Cookie', '__proto__', 'X-1'), text);
  const parts = fc.record({
    id: text,
    method: text,
    path: text,
    params: fc.dictionary(text, text, { maxKeys: 3 }),
    rawHeaders: fc.array(fc.tuple(header, text), { maxLength: 5 }).map((pairs) => pairs.flat()),
    remote: fc.option(fc.record({ address: text, port: fc.nat() })),
    endpoint: fc.option(text.map((path) => endpoint(path, { kind: 'any-plugin' }))),
  });
  fc.assert(
    fc.property(parts, (head) => {
      const document = documentOf(head);
      const { body, ...members } = view(document);
      expect(body).toBeNull();
      const { id, method, path, params, remote } = head;
      const plain = JSON.parse(JSON.stringify({ id, method, path, params, remote })) as JsonObject;
      expect(members).toEqual({
        ...plain,
        route: head.endpoint?.path ?? null,
        query: {},
        headers: JSON.parse(JSON.stringify(document.headers)) as JsonObject,
        context: {},
        body_encoding: 'text',
      });
    }),
  );
});
