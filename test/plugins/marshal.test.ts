import { describe, expect, test } from '@jest/globals';
import { readDecision, readEndpointAnswer } from '../../dist/plugins/marshal.js';
import { InvalidAnswer } from '../../dist/plugins/response-check.js';

const PARSED_BYTES_MAX = 1024 * 1024;

test('a body that can be parsed but nests too deep is an invalid answer', () => {
  const depth = 500_000;
  const response = `{"status":200,"body":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  expect(() => readEndpointAnswer(response, PARSED_BYTES_MAX)).toThrow(InvalidAnswer);
  expect(() => readDecision(`{"response":${response}}`, PARSED_BYTES_MAX)).toThrow(/nests too deep/);
});

test('a short or long body is sent byte for byte as the plugin wrote it', () => {
  for (const length of [1, 1000, 1024, 1025, 100_000]) {
    const reply = Buffer.from(` {"é": "${'ü'.repeat(length)}"}\n`);
    const answer = readEndpointAnswer(reply, PARSED_BYTES_MAX);
    expect(Buffer.from(answer?.body as string).equals(reply)).toBe(true);
    expect(answer?.json).toBe(answer?.body);
  }
});

describe('body_encoding of a response', () => {
  const read = (members: string) => readEndpointAnswer(`{"status":200,${members}}`, PARSED_BYTES_MAX);

  test.each([
    ['"body":"a","body_encoding":"text"', 'a', 'text/plain; charset=utf-8'],
    ['"body":"a","body_encoding":"json"', '"a"', 'application/json'],
    ['"body":1.0,"body_encoding":"json"', '1.0', 'application/json'],
    ['"body":"a","body_encoding":null', 'a', 'text/plain; charset=utf-8'],
    [
      '"body":"a","body_encoding":"text","headers":{"content-type":"application/json"}',
      'a',
      'application/json',
    ],
    ['"body":"\\ud83d\\ude00"', '\u{1f600}', 'text/plain; charset=utf-8'],
  ])('%s is sent as %j', (members, body, type) => {
    expect(read(members)).toMatchObject({ body, headers: { 'content-type': type } });
  });

  test.each([
    ['"body":{"a":1},"body_encoding":"text"', 'not a string'],
    ['"body":"a","body_encoding":"hex"', 'body_encoding is not'],
    ['"body":"a","body_encoding":1', 'body_encoding is not'],
    ['"body":"\\ud83d"', 'half of a surrogate pair'],
  ])('%s is an invalid answer', (members, reason) => {
    expect(() => read(members)).toThrow(reason);
    expect(() => read(members)).toThrow(InvalidAnswer);
  });
});
