import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { ownCache } from '../fixtures/cache.js';
import { putVersion } from '../fixtures/versions.js';
import { backworks, type Finished, RunningCommand, scratch } from './command.js';

/** `backworks plugin swap`, `rollback` and `history`. */
ownCache();
const directory = scratch();
const library = join(mkdtempSync(join(tmpdir(), 'backworks-versions-')), 'versioned.so');
let server: RunningCommand | null = null;
afterAll(async () => {
  server?.child.kill('SIGKILL');
  await server?.finished;
  directory.remove();
});

async function freePort(): Promise<number> {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  await new Promise((resolve) => taken.close(resolve));
  return port;
}

test('a plugin is swapped and rolled back, and history works with and without a server', async () => {
  putVersion(library, 1000);
  const file = directory.write(
    'versions.yaml',
    `
server: { port: 0 }
admin: { port: ${await freePort()}, token: letmein }
plugins: { versioned: { path: ${library} } }
`,
  );
  const run = (...args: string[]): Promise<Finished> =>
    backworks(['--config', file, 'plugin', ...args], { cwd: directory.path });
  expect(await run('swap', 'versioned')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/BW_SERVER_UNREACHABLE/),
  });

  server = new RunningCommand(['start', '--config', file], { cwd: directory.path });
  await server.logged(/^listening on /);
  expect((await run('swap', 'versioned')).stdout).toMatch(/already runs the library at its path: 1\.0\.1000/);
  putVersion(library, 1001);
  expect((await run('swap', 'versioned')).stdout).toMatch(/swapped versioned to 1\.0\.1001 .*in probation/);
  expect((await run('rollback', 'versioned')).stdout).toMatch(/rolled back versioned to 1\.0\.1000/);
  expect((await run('rollback', 'versioned', '--to', '99')).code).toBe(4);
  expect((await run('rollback', 'versioned', '--to', '/etc')).stderr).toMatch(/BW_REQUEST_INVALID/);
  putVersion(library, 1002, 'refuse');
  expect(await run('swap', 'versioned')).toMatchObject({ code: 4 });
  server.child.kill('SIGTERM');
  await server.finished;

  const { stdout } = await run('--json', 'history', 'versioned');
  const { history } = JSON.parse(stdout) as { history: { by: string; outcome: string }[] };
  expect(history.map(({ by, outcome }) => `${by} ${outcome}`)).toEqual([
    'cli rejected',
    'cli rolled_back',
    'cli swapped',
  ]);
  const table = (await run('history', 'versioned')).stdout;
  expect(table).toMatch(/1\.0\.1001 \([0-9a-f]{12}\) +1\.0\.1000 \([0-9a-f]{12}\).*requested by an operator/);
  expect((await run('history', 'nobody')).stderr).toMatch(/no plugin is named "nobody"/);
});
