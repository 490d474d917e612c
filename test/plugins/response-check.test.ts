import http from 'node:http';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  HEADERS_MAX,
  HEADER_BYTES_MAX,
  InvalidAnswer,
  checkResponseParts,
} from '../../dist/plugins/response-check.js';

test('names become lower case, lists stay lists, framing headers are dropped', () => {
  const headers = { 'X-A': 'ä', 'Set-Cookie': ['a=1', 'b=2'], 'Content-Length': '3', Connection: 'close' };
  expect(checkResponseParts(200, headers)).toEqual({ 'x-a': 'ä', 'set-cookie': ['a=1', 'b=2'] });
  expect(checkResponseParts(599, undefined)).toEqual({});
  expect(checkResponseParts(204, null)).toEqual({});
});

test.each<[string, unknown, unknown, string]>([
  ['an informational status', 199, {}, 'status 199'],
  ['a status beyond HTTP', 600, {}, 'status 600'],
  ['a fraction', 200.5, {}, 'status 200.5'],
  ['a string as status', '200', {}, 'status "200"'],
  ['no status', undefined, {}, 'status undefined'],
  ['headers as a list', 200, [], 'not an object'],
  ['headers as a string', 200, 'a: b', 'not an object'],
  ['a blank in a name', 200, { 'a b': '' }, '"a b" is not a token'],
  ['an empty name', 200, { '': '' }, '"" is not a token'],
  ['a member named __proto__', 200, JSON.parse('{"__proto__": "x"}'), 'not a token'],
  ['a number as value', 200, { a: 1 }, 'header a is not a string'],
  ['a line break', 200, { a: 'x\r\ny: z' }, 'header a has a character'],
  ['a NUL', 200, { a: '\0' }, 'header a has a character'],
  ['a character beyond Latin-1', 200, { a: '€' }, 'header a has a character'],
  ['a wrong item in a list', 200, { a: ['x', null] }, 'header a is not a string'],
  ['too many headers', 200, { a: Array.from({ length: HEADERS_MAX + 1 }, () => '') }, 'more than 100'],
  ['too long headers', 200, { a: 'x'.repeat(HEADER_BYTES_MAX) }, 'longer than 65536'],
])('%s is refused', (_what, status, headers, reason) => {
  expect(() => checkResponseParts(status, headers)).toThrow(InvalidAnswer);
  expect(() => checkResponseParts(status, headers)).toThrow(reason);
});

test('Node can write every response that passes the check', () => {
  const name = fc.oneof(
    fc.string(),
    fc.constantFrom('x-a', 'set-cookie', 'content-length', 'Transfer-Encoding'),
  );
  const value = fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.string()), fc.string());
  fc.assert(
    fc.property(fc.integer({ min: 90, max: 700 }), fc.dictionary(name, value), (status, headers) => {
      const response = new http.ServerResponse(new http.IncomingMessage(null as never));
      let checked;
      try {
        checked = checkResponseParts(status, headers);
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidAnswer);
        return;
      }
      response.writeHead(status, checked);
    }),
  );
});
