import { expect, test } from '@jest/globals';
import { PassThrough } from 'node:stream';
import { PluginOutput } from '../../../dist/native/process/plugin-output.js';
import { eventually } from '../../fixtures/server.js';

test('dropped output is reported even when the plugin writes nothing more', async () => {
  const logged: string[] = [];
  const output = new PluginOutput(
    () => 100,
    ({ level, text }) => void logged.push(`${level}: ${text}`),
  );
  const stream = new PassThrough();
  output.attach(stream, 'stdout');
  stream.write('short\n');
  stream.write(`${'long '.repeat(100)}\n`);
  await eventually(() => logged.length > 1, 'the report');
  expect(logged).toEqual(['info: short', 'warn: 501 bytes of output dropped: more than 100 bytes a second']);
});

test('output that the runner dropped is included in the report', async () => {
  const logged: string[] = [];
  const output = new PluginOutput(
    () => 100,
    ({ level, text }) => void logged.push(`${level}: ${text}`),
  );
  output.frame('info', 'first', 0);
  output.frame('info', '', 5000);
  output.frame('info', 'beyond the rate', 20);
  await eventually(() => logged.length > 1, 'the report');
  expect(logged).toEqual(['info: first', 'warn: 5099 bytes of output dropped: more than 100 bytes a second']);
});

test('more log frames than a runner may send are a protocol error, if the runner knows the rate', () => {
  const flood = (limitedAtSource: boolean): (() => void) => {
    const output = new PluginOutput(
      () => 1000,
      () => undefined,
      limitedAtSource,
    );
    return () => {
      for (let frame = 0; frame < 300; frame++) output.frame('info', 'x'.repeat(8192), 0);
    };
  };
  expect(flood(true)).toThrow(/more than 2105152 bytes of log frames in a second/);
  expect(flood(false)).not.toThrow();
});

test('the excerpt of a long burst on stderr contains its beginning and its end', async () => {
  const logged: string[] = [];
  const output = new PluginOutput(
    () => 1 << 20,
    ({ text }) => void logged.push(text),
  );
  const stream = new PassThrough();
  output.attach(stream, 'stderr');
  const written = Array.from({ length: 100 }, (_, index) => `line ${index + 1}`);
  stream.write(`${written.join('\n')}\n`);
  await eventually(() => logged.length === 100, 'the lines');
  expect(output.stderrTail).toEqual([...written.slice(0, 10), '… 70 lines …', ...written.slice(80)]);
});

test.each([1, 20, 25, 30])('the excerpt of %i lines omits none and repeats none', async (count) => {
  const logged: string[] = [];
  const output = new PluginOutput(
    () => 1 << 20,
    ({ text }) => void logged.push(text),
  );
  const stream = new PassThrough();
  output.attach(stream, 'stderr');
  const written = Array.from({ length: count }, (_, index) => `line ${index + 1}`);
  stream.write(`${written.join('\n')}\n`);
  await eventually(() => logged.length === count, 'the lines');
  expect(output.stderrTail).toEqual(written);
});
