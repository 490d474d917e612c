/** An operator changes one running server through the command line. Each test continues where the previous test ended. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { backworks, type Finished, RunningCommand, scratch } from '../cli/command.js';
import { ownCache } from '../fixtures/cache.js';
import { putVersion } from '../fixtures/versions.js';

ownCache();
const directory = scratch();
const library = join(directory.path, 'libversioned.so');
const file = join(directory.path, 'backworks.yaml');
let server: RunningCommand;
let url = '';

beforeAll(async () => {
  putVersion(library, 1000);
  writeFileSync(
    file,
    `# the only server
server: { port: 0 }
admin: { port: ${await freePort()}, token: "\${OPERATOR_TOKEN:-planted-token}" }
endpoints:
  version: { path: /version, plugin: versioned }
plugins:
  versioned: # of the operator
    path: ./libversioned.so
    restart: { delay: 1ms, max_delay: 1ms }
    timeouts: { call: 10s }
    circuit_breaker: { failures: 1000 }
    swap: { probation: { duration: 1h, max_crashes: 2 } }
`,
  );
  server = new RunningCommand(['start'], { cwd: directory.path });
  const { url: address } = await server.logged(/^listening on/);
  url = String(address);
});

afterAll(async () => {
  server.child.kill('SIGKILL');
  await server.finished;
  directory.remove();
});

async function freePort(): Promise<number> {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  await new Promise((resolve) => taken.close(resolve));
  return port;
}

const run = (...args: string[]): Promise<Finished> => backworks(args, { cwd: directory.path });

/** Runs a command that must succeed. Returns the JSON that the command prints. */
async function json<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await run(...args, '--json');
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
  return JSON.parse(stdout) as T;
}

const status = async (path: string): Promise<number> => (await fetch(url + path)).status;
const text = async (path: string): Promise<string> => (await fetch(url + path)).text();
const version = async (): Promise<unknown> =>
  ((await (await fetch(`${url}/version`)).json()) as { version: string }).version;

interface Plan {
  readonly dry_run: boolean;
  readonly plugins: readonly { name: string; action: string }[];
  readonly endpoints: { readonly added: readonly string[] };
}

interface History {
  readonly history: readonly {
    by: string;
    outcome: string;
    to: { version: string };
    reason: string | null;
  }[];
}

test('reload --dry-run shows an added endpoint and changes nothing; reload adds the endpoint', async () => {
  expect(await version()).toBe('1.0.1000');
  const before = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    before.replace('plugins:', '  also: { path: /also, response: { body: hello } }\nplugins:'),
  );
  const plan = { plugins: [{ name: 'versioned', action: 'keep' }], endpoints: { added: ['also'] } };
  expect(await json<Plan>('reload', '--dry-run')).toMatchObject({ ...plan, dry_run: true });
  expect(await text('/also')).not.toBe('hello');
  expect(await json<Plan>('reload')).toMatchObject({ ...plan, dry_run: false });
  expect(await text('/also')).toBe('hello');
});

test('reload reports a mistake in the file with its location and changes nothing', async () => {
  const before = readFileSync(file, 'utf8');
  writeFileSync(file, before.replace('response: { body: hello }', 'plugin: version'));
  const { code, stderr } = await run('reload');
  expect(code).toBe(3);
  expect(stderr).toContain('backworks.yaml:6:32: endpoints.also.plugin: no plugin is called "version"');
  expect(await text('/also')).toBe('hello');
  writeFileSync(file, before);
});

test('swap starts a new version, a version that crashes is rolled back, and history lists each change', async () => {
  putVersion(library, 2000);
  expect(await json('plugin', 'swap', 'versioned')).toMatchObject({ result: 'swapped' });
  expect(await version()).toBe('1.0.2000');
  putVersion(library, 3000, 'crash');
  expect(await json('plugin', 'swap', 'versioned')).toMatchObject({ result: 'swapped' });
  while ((await status('/version')) !== 200) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(await version()).toBe('1.0.2000');
  const { history } = await json<History>('plugin', 'history', 'versioned');
  const told = history.map(({ by, outcome, to }) => `${by} ${outcome} ${to.version}`).sort();
  expect(told).toEqual(['auto rolled_back 1.0.2000', 'cli swapped 1.0.2000', 'cli swapped 1.0.3000']);
  expect(history.find(({ by }) => by === 'auto')?.reason).toContain('allowed: 2');
  const { stdout } = await run('plugin', 'history', 'versioned');
  expect(stdout).toMatch(/auto +rolled back +1\.0\.3000 .* 1\.0\.2000 /);
});

test('reload does not start a version again that was rolled back', async () => {
  await json('reload');
  expect(await version()).toBe('1.0.2000');
});

test('rollback starts the version before', async () => {
  await json('plugin', 'rollback', 'versioned');
  expect(await version()).toBe('1.0.1000');
});

test('disable changes only the server, and disable and enable with --write also the file', async () => {
  const before = readFileSync(file, 'utf8');
  const refused = await run('plugin', 'disable', 'versioned');
  expect(refused.stderr).toMatch(/^BW_PLUGIN_IN_USE: .*also|^BW_PLUGIN_IN_USE: .*version/);
  expect(refused.stderr).toContain(' — these endpoints would fail; --force ');
  const now = await run('plugin', 'disable', 'versioned', '--force');
  expect(now).toMatchObject({ code: 0, stdout: 'disabled versioned, which is now stopped\n' });
  expect(now.stderr).toContain('until the next reload or restart');
  expect(await status('/version')).toBe(503);
  expect(readFileSync(file, 'utf8')).toBe(before);
  await json('plugin', 'disable', 'versioned', '--force', '--write');
  expect(readFileSync(file, 'utf8')).toMatch(/^ {4}enabled: false/m);
  await json('plugin', 'enable', 'versioned', '--write');
  expect(await status('/version')).toBe(200);
  expect(readFileSync(file, 'utf8')).toContain('versioned: # of the operator\n');
});

test('config migrate rewrites a file of the first dialect, and the running server reloads the file', async () => {
  const before = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    before
      .replace('  also: { path: /also,', '  /also/:id: { method: GET,')
      .replace('path: ./libversioned.so', 'plugin_type: external\n    path: ./libversioned.so'),
  );
  expect((await run('reload')).stderr).toContain('run: backworks config migrate');
  const shown = await json<{ changed: boolean; written: boolean; patch: string }>('config', 'migrate');
  expect(shown).toMatchObject({ changed: true, written: false });
  expect(shown.patch).toContain('+    path: /also/{id}\n');
  await json('config', 'migrate', '--write');
  expect(readFileSync(file, 'utf8')).toMatch(/^# the only server\nconfig_version: 1\n/);
  await json('config', 'check');
  await json('reload');
  expect([await text('/also/7'), await version()]).toEqual(['hello', '1.0.1000']);
});

test.each(['swap', 'rollback', 'history', 'restart', 'enable', 'disable', 'unload'])(
  'plugin %s of an unknown plugin exits with 4 and lists the known plugins',
  async (action) => {
    const { code, stderr } = await run('plugin', action, 'other');
    expect(stderr).toBe('BW_PLUGIN_UNKNOWN: no plugin is named "other" — known plugins: versioned\n');
    expect(code).toBe(4);
  },
);

test('the server exits with 0 on SIGTERM', async () => {
  server.child.kill('SIGTERM');
  expect(await server.finished).toMatchObject({ code: 0, signal: null });
});
