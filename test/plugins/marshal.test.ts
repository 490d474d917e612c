import { expect, test } from '@jest/globals';
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
