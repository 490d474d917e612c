#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { EXIT } from '../errors.js';
import { run } from './program.js';
import { createScreen } from './terminal/screen.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

let lost: Error | undefined;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A closed pipe, such as with head, is not a failure of this command. A full disk is.
  if (error.code !== 'EPIPE') lost ??= error;
});
process.stderr.on('error', () => undefined);

const out = createScreen(process.stdout, process.env);
const err = createScreen(process.stderr, process.env);
const code = await run(process.argv.slice(2), { out, err, env: process.env, version });

/** Resolves when the buffered output has been written or has failed. */
function flush(stream: NodeJS.WriteStream): Promise<unknown> {
  return new Promise((done) => {
    if (stream.writableLength > 0) stream.write('', done);
    else setImmediate(done);
  });
}

await flush(process.stdout);
if (lost !== undefined) err.line(`standard output is incomplete: ${lost.message}`);
await flush(process.stderr);
process.exit(code === EXIT.ok && lost !== undefined ? EXIT.failure : code);
