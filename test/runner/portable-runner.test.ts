import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually, startServer, type TestServer } from '../fixtures/server.js';

/**
 * The runner as built for a system without Landlock and seccomp, from the files that binding.gyp lists for
 * one. Only the code that watches the parent is this system's.
 */
const root = fileURLToPath(new URL('../..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'backworks-portable-'));
const library = join(directory, 'supervised.so');

beforeAll(() => {
  chmodSync(directory, 0o755);
  const [, target] = readFileSync(join(root, 'binding.gyp'), 'utf8').split("'target_name'");
  expect(target).toContain("'backworks-runner'");
  const named = target!.match(/src\/runner\/[\w/]+\.c/g) ?? [];
  const portable = named.filter((name) => !/_(linux|windows|darwin)\.c$|\/interposed_/.test(name));
  expect(portable).toContain('src/runner/sandbox/sandbox_other.c');
  const runner = join(directory, 'backworks-runner');
  const sources = [...portable, 'src/runner/os/parent_death_linux.c'];
  const flags = ['-std=c11', '-Wall', '-Wextra', '-Werror', '-O1', '-D_GNU_SOURCE', '-Isrc/runner'];
  execFileSync('cc', [...flags, '-o', runner, ...sources, '-ldl', '-lpthread'], { cwd: root, stdio: 'pipe' });
  process.env['BACKWORKS_RUNNER'] = runner;
  process.env['XDG_CACHE_HOME'] = join(directory, 'cache');
  copyFileSync(compilePlugin('supervised'), library);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function start(policy: string): Promise<TestServer> {
  return startServer(`
endpoints:
  ok: { path: /ok, plugin: supervised }
  crash: { path: /crash, plugin: supervised }
  hang: { path: /hang, plugin: supervised }
plugins:
  supervised: { path: ${library}, restart: { delay: 1ms, max_delay: 1ms }, ${policy} }
`);
}

const LACK = /neither Landlock nor seccomp: files, network and processes are not limited/;
const NO_LIMITS = /resource limits are not set .*: memory, open_files, threads and file_size are not limited/;

describe('a system without a sandbox', () => {
  test.each(['', 'sandbox: strict, permissions: { filesystem: { read: [/tmp] } }'])(
    'refuses a plugin under strict and names what is missing: {%s}',
    async (policy) => {
      const server = await start(policy);
      expect(server.plugin('supervised')).toMatchObject({
        state: 'failed',
        reason: expect.stringMatching(LACK),
        failures: [{ outcome: 'setup_error', code: 'BW_PLUGIN_SANDBOX' }],
      });
      expect(await server.get('/ok')).toMatchObject({ status: 503 });
      await server.backworks.stop();
    },
  );

  test('reports what is missing under best-effort, and keeps deadlines and restarts', async () => {
    const server = await start('sandbox: best-effort, timeouts: { call: 300ms }');
    expect(server.plugin('supervised')).toMatchObject({
      state: 'degraded',
      reason: expect.stringMatching(LACK),
      sandbox: {
        mode: 'best-effort',
        missing: [expect.stringMatching(LACK), expect.stringMatching(NO_LIMITS)],
      },
    });
    expect(await server.get('/crash')).toMatchObject({ status: 503 });
    expect(await server.get('/ok')).toMatchObject({ status: 200 });
    expect(await server.get('/hang')).toMatchObject({ status: 504 });
    expect(await server.get('/ok')).toMatchObject({ status: 200 });
    await eventually(() => server.plugin('supervised').failures.length === 2, 'both post-mortems');
    expect(server.plugin('supervised').failures).toMatchObject([
      { outcome: 'timeout' },
      { outcome: 'crashed', signal: 'SIGSEGV', phase: 'process_endpoint' },
    ]);
    await server.backworks.stop();
  });

  test('reports nothing missing under off', async () => {
    const server = await start('sandbox: off');
    expect(server.plugin('supervised')).toMatchObject({ state: 'ready', sandbox: { missing: [] } });
    expect(await server.get('/ok')).toMatchObject({ status: 200 });
    await server.backworks.stop();
  });
});
