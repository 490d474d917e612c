import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BackworksError } from '../../dist/errors.js';
import { parseRecording } from '../../dist/profiling/recording.js';

test('JSON Lines: only the path is required, and an object as body is sent as JSON', () => {
  const text = [
    '{"path": "/a?b=c"}',
    '',
    '{"method": "POST", "path": "/orders", "headers": {"x-tenant": "t"}, "body": {"id": 1}}',
    '{"method": "PUT", "path": "/text", "headers": {"Content-Type": "text/plain"}, "body": "as it is"}',
  ].join('\n');
  expect(parseRecording(text, 'requests.jsonl')).toEqual([
    { method: 'GET', target: '/a?b=c', headers: [], body: null },
    {
      method: 'POST',
      target: '/orders',
      headers: [
        ['x-tenant', 't'],
        ['content-type', 'application/json'],
      ],
      body: '{"id":1}',
    },
    { method: 'PUT', target: '/text', headers: [['Content-Type', 'text/plain']], body: 'as it is' },
  ]);
});

test('a HAR file of a browser is read', () => {
  const entry = {
    startedDateTime: '2026-01-01T00:00:00.000Z',
    request: {
      method: 'POST',
      url: 'https://api.example.com/search?q=1#top',
      headers: [{ name: 'Accept', value: '*/*' }],
      postData: { mimeType: 'application/json', text: '{"a":1}' },
    },
    response: { status: 200 },
  };
  const root = { request: { method: 'GET', url: 'http://localhost:8080', headers: [] } };
  const har = JSON.stringify({ log: { version: '1.2', entries: [entry, root] } }, null, 2);
  expect(parseRecording(har, 'session.har')).toEqual([
    { method: 'POST', target: '/search?q=1', headers: [['Accept', '*/*']], body: '{"a":1}' },
    { method: 'GET', target: '/', headers: [], body: null },
  ]);
});

test.each([
  ['text', 'requests.jsonl:1 is not a JSON object'],
  ['{"path": "/a"}\n[1]', 'requests.jsonl:2 is not a JSON object'],
  ['{"method": "GET"}', 'requests.jsonl:1 has no path that starts with "/"'],
  ['{"path": "relative"}', 'requests.jsonl:1 has no path that starts with "/"'],
  ['{"path": "/a b"}', 'requests.jsonl:1 has no path that starts with "/"'],
  ['{"path": "/a", "method": "get it"}', 'requests.jsonl:1 has a method that is not an upper-case word'],
  ['{"path": "/a", "headers": "x"}', 'requests.jsonl:1 has headers that are not an object'],
  ['{"log": {}}', 'requests.jsonl has no log.entries, which every HAR file has'],
  ['{"log": {"entries": [{}]}}', 'requests.jsonl: log.entries[0] has no request'],
  [
    '{"log": {"entries": [{"request": {"method": "GET", "url": "http://a/", "headers": [{}]}}]}}',
    'requests.jsonl: log.entries[0] has a header without a name or value',
  ],
])('%s: the error names the place and the fault', (text, message) => {
  expect(() => parseRecording(text, 'requests.jsonl')).toThrow(
    expect.objectContaining({ code: 'BW_PROFILE_REQUESTS', message }),
  );
});

test('any text gives requests or a BW_PROFILE_REQUESTS error', () => {
  const pieces = fc.constantFrom('{"path":"/a"}', '{"log":{"entries":[', ']}}', '\n', '{}', 'null', '"');
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.array(pieces).map((all) => all.join('')),
      ),
      (text) => {
        try {
          for (const { method, target } of parseRecording(text, 'f')) {
            expect([method, target]).toEqual([expect.any(String), expect.stringMatching(/^\//)]);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(BackworksError);
        }
      },
    ),
  );
});
