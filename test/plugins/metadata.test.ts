import { describe, expect, test } from '@jest/globals';
import { readMetadata } from '../../dist/plugins/metadata.js';

function read(manifest: string): ReturnType<typeof readMetadata> {
  return readMetadata({
    name: 'weather',
    version: '1.0.0',
    description: 'Tells the weather.',
    manifest,
    functions: new Set(['before_request']),
    threadSafe: false,
  });
}

describe('the bodies that a manifest asks for', () => {
  test.each([
    ['{}', null, null],
    ['{"body":"none"}', 'none', 'none'],
    ['{"body":"buffer"}', 'buffer', 'buffer'],
    ['{"body":{"request":"none"}}', 'none', null],
    ['{"body":{"request":null,"response":"auto"}}', null, 'auto'],
  ])('%s', (manifest, request, response) => {
    expect(read(manifest).body).toEqual({ request, response });
  });

  test.each([
    ['"auto"', 'body" is not "none", "buffer" or an object of request and response'],
    ['{"requests":"none"}', 'body" is not "none", "buffer" or an object of request and response'],
    ['{"request":"auto"}', 'body.request" is not "none" or "buffer"'],
    ['{"response":1}', 'body.response" is not "none", "auto" or "buffer"'],
  ])('%s is refused', (body, expected) => {
    expect(() => read(`{"body":${body}}`)).toThrow(
      expect.objectContaining({
        code: 'BW_PLUGIN_METADATA',
        message: expect.stringContaining(`manifest key "${expected}`),
      }),
    );
  });
});

describe('numbers in a manifest', () => {
  test.each([
    ['max_execution_time_ms', '3000000000', 'a whole number from 1 to 999999999'],
    ['max_execution_time_ms', '0', 'a whole number from 1 to 999999999'],
    ['max_execution_time_ms', '-5', 'a whole number from 1 to 999999999'],
    ['max_execution_time_ms', '0.5', 'a whole number from 1 to 999999999'],
    ['max_execution_time_ms', '1e400', 'a whole number from 1 to 999999999'],
    ['max_execution_time_ms', '"100"', 'a whole number from 1 to 999999999'],
    ['priority', '1e300', 'a whole number from -1000000 to 1000000'],
    ['priority', '0.1', 'a whole number from -1000000 to 1000000'],
  ])('%s: %s is refused', (key, value, expected) => {
    expect(() => read(`{"${key}":${value}}`)).toThrow(
      expect.objectContaining({
        code: 'BW_PLUGIN_METADATA',
        message: expect.stringContaining(`manifest key "${key}" is not ${expected}`),
      }),
    );
  });

  test('are accepted up to their limits', () => {
    expect(read('{"max_execution_time_ms":999999999,"priority":-1000000}')).toMatchObject({
      maxExecutionTimeMs: 999_999_999,
      priority: -1_000_000,
    });
    expect(read('{}')).toMatchObject({ maxExecutionTimeMs: null, priority: null });
  });
});

describe('texts in a manifest have limits', () => {
  const long = (length: number): string => 'a'.repeat(length);
  test.each([
    ['author', JSON.stringify(long(1025)), 'a text of at most 1024 characters'],
    ['capabilities', JSON.stringify([long(129)]), 'a list of strings of at most 128 characters'],
    ['hooks', JSON.stringify(Array<string>(1025).fill('x')), 'a list of at most 1024 items'],
    [
      'dependencies',
      JSON.stringify([{ capability: long(129) }]),
      'a list of names of at most 128 characters',
    ],
    ['dependencies', JSON.stringify([long(129)]), 'a list of names of at most 128 characters'],
    [
      'dependencies',
      JSON.stringify([{ name: 'x', version: '1 - '.repeat(60_000) }]),
      'valid: "1 - 1 - 1 - 1 - 1 - 1 - 1 - 1',
    ],
    ['backworks', JSON.stringify('>=0 '.repeat(65)), 'a semver range of at most 256 characters'],
  ])('%s', (key, value, expected) => {
    let message = '';
    try {
      read(`{"${key}":${value}}`);
    } catch (error) {
      ({ message } = error as Error);
    }
    expect(message).toContain(`manifest key "${key}" is not ${expected}`);
    // The message goes into the log.
    expect(message.length).toBeLessThan(300);
  });
});
