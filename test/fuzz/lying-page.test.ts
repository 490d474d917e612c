import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually, startServer } from '../fixtures/server.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'backworks-lying-'));
const inherited = process.env['BACKWORKS_RUNNER'];

beforeAll(() => {
  const program = join(directory, 'lying-page');
  const sources = ['lying_page.c', 'wire.c'].map((name) => join(root, 'test/fuzz/hostile', name));
  execFileSync('cc', ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-o', program, ...sources]);
  process.env['BACKWORKS_RUNNER'] = program;
});

afterAll(() => {
  if (inherited === undefined) delete process.env['BACKWORKS_RUNNER'];
  else process.env['BACKWORKS_RUNNER'] = inherited;
  rmSync(directory, { recursive: true, force: true });
});

test('a process that does not answer is stopped at the deadline, whatever it writes into the shared page', async () => {
  const server = await startServer(`
endpoints: { lies: { path: /lies, plugin: liar } }
plugins: { liar: { path: ${compilePlugin('echo')}, timeouts: { call: 40ms, initialize: 2s, shutdown: 50ms } } }
`);
  const pid = server.plugin('liar').processes.find(({ state }) => state === 'ready')?.pid;
  expect((await server.get('/lies')).status).toBe(504);
  await eventually(() => server.plugin('liar').failures.length > 0, 'the end of the process');
  expect(server.plugin('liar').failures[0]).toMatchObject({ outcome: 'timeout' });
  expect(server.plugin('liar').processes.map((process) => process.pid)).not.toContain(pid);
});
