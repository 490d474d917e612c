import { expect, test } from '@jest/globals';
import { PassThrough } from 'node:stream';
import { PluginOutput } from '../../dist/native/plugin-output.js';
import { eventually } from '../fixtures/server.js';

test('what was dropped is told even when the plugin falls silent', async () => {
  const told: string[] = [];
  const output = new PluginOutput(
    () => 100,
    ({ level, text }) => void told.push(`${level}: ${text}`),
  );
  const stream = new PassThrough();
  output.attach(stream, 'stdout');
  stream.write('short\n');
  stream.write(`${'long '.repeat(100)}\n`);
  await eventually(() => told.length > 1, 'the report');
  expect(told).toEqual(['info: short', 'warn: 501 bytes of output dropped: more than 100 bytes a second']);
});
