import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { backworks, type Finished, RunningCommand, scratch } from './command.js';

/** How commands reach a running server whose secrets are not set where the command runs. */
ownCache();
const directory = scratch();
const elsewhere = scratch();
let server: RunningCommand;
let adminUrl = '';
let file = '';

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

beforeAll(async () => {
  file = directory.write(
    'backworks.yaml',
    `server: { port: 0 }
admin: { port: ${await freePort()}, token: "\${ADMIN_TOKEN}" }
endpoints:
  tag: { path: /tag, plugin: tag }
  away: { path: /away, proxy: { target: "\${UPSTREAM}" } }
plugins:
  tag: { path: ${compilePlugin('tag')}, config: { tag: "\${SECRET}" } }
`,
  );
  const env = { ADMIN_TOKEN: 'planted-token', SECRET: 'hunter2', UPSTREAM: 'http://127.0.0.1:9' };
  server = new RunningCommand(['start', '--config', file], { env });
  adminUrl = String((await server.logged(/^admin API on/))['url']);
  await server.logged(/^listening on/);
});
afterAll(async () => {
  server.child.kill('SIGTERM');
  await server.finished;
  directory.remove();
  elsewhere.remove();
});

const COMMANDS: [what: string, args: string[], stdout: RegExp][] = [
  ['list', ['plugin', 'list'], /^tag +1\.0\.0 +ready/m],
  ['status', ['plugin', 'status', 'tag'], /^tag 1\.0\.0: ready since/],
  ['restart', ['plugin', 'restart', 'tag'], /^restarted tag/],
  ['swap', ['plugin', 'swap', 'tag'], /^tag already runs the library at its path/],
  ['disable', ['plugin', 'disable', 'tag', '--force'], /^disabled tag/],
  ['load', ['plugin', 'load', 'tag'], /^loaded tag/],
  ['history', ['plugin', 'history', 'tag', '--json'], /"plugin":"tag"|"versions":/],
];

describe('with a configuration in which only the admin block is complete', () => {
  test.each(COMMANDS)('plugin %s', async (_what, args, stdout) => {
    const env = { ADMIN_TOKEN: 'planted-token' };
    const done = await backworks(['--config', file, ...args], { env });
    expect(done).toMatchObject({ code: 0, stdout: expect.stringMatching(stdout) });
  });

  test('--token alone replaces the token of the file', async () => {
    const done = await backworks(['--config', file, '--token', 'planted-token', 'plugin', 'list']);
    expect(done).toMatchObject({ code: 0, stdout: expect.stringMatching(/^tag/m) });
    const without = await backworks(['--config', file, 'plugin', 'list']);
    expect(without).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(
        /^BW_CONFIG_VARIABLE: .*admin\.token: the variable ADMIN_TOKEN is not set/,
      ),
    });
  });

  test('--write needs the whole configuration, and fails before any change', async () => {
    const env = { ADMIN_TOKEN: 'planted-token' };
    const done = await backworks(['--config', file, 'plugin', 'disable', 'tag', '--force', '--write'], {
      env,
    });
    expect(done).toMatchObject({ code: 3, stderr: expect.stringMatching(/^BW_CONFIG_VARIABLE: /) });
    const { stdout } = await backworks(['--config', file, 'plugin', 'list'], { env });
    expect(stdout).toMatch(/^tag +1\.0\.0 +ready/m);
  });
});

describe('without the configuration', () => {
  const remote = (args: string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> =>
    backworks(args, { cwd: elsewhere.path, env });

  test.each(COMMANDS)('--url and --token: plugin %s', async (_what, args, stdout) => {
    const done = await remote(['--url', adminUrl, '--token', 'planted-token', ...args]);
    expect(done).toMatchObject({ code: 0, stdout: expect.stringMatching(stdout) });
  });

  test('BACKWORKS_ADMIN_URL and BACKWORKS_ADMIN_TOKEN work like --url and --token', async () => {
    const env = { BACKWORKS_ADMIN_URL: `${adminUrl}/`, BACKWORKS_ADMIN_TOKEN: 'planted-token' };
    expect(await remote(['plugin', 'list'], env)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^tag/m),
    });
  });

  test.each<[string, string[], number, RegExp]>([
    [
      'no token',
      ['--url', '<admin>'],
      1,
      /^BW_SERVER_UNREACHABLE: neither --token nor BACKWORKS_ADMIN_TOKEN/,
    ],
    [
      'another token',
      ['--url', '<admin>', '--token', 'x'],
      1,
      /^BW_SERVER_UNREACHABLE: .*does not accept this admin token/,
    ],
    [
      'no server',
      ['--url', 'http://127.0.0.1:9', '--token', 'x'],
      1,
      /^BW_SERVER_UNREACHABLE: no server answers/,
    ],
    [
      'no URL',
      ['--url', 'localhost:1'],
      2,
      /^BW_USAGE: --url expects the URL of an admin API, not "localhost:1"/,
    ],
    ['a password in it', ['--url', 'http://a:b@x'], 2, /^BW_USAGE: --url expects/],
  ])('%s is reported', async (_what, args, code, stderr) => {
    const given = args.map((arg) => (arg === '<admin>' ? adminUrl : arg));
    expect(await remote([...given, 'plugin', 'list'])).toMatchObject({
      code,
      stderr: expect.stringMatching(stderr),
    });
  });

  test('a command that needs the file says so', async () => {
    const args = ['--url', adminUrl, '--token', 'planted-token', 'plugin', 'disable', 'tag', '--write'];
    expect(await remote(args)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^BW_USAGE: this command needs the configuration file/),
    });
  });
});

describe('--url', () => {
  const listed = (url: string): Promise<Finished> =>
    backworks(['plugin', 'list', '--url', url, '--token', 'planted-token'], { cwd: elsewhere.path });

  /** Answers as an admin API, or as another program. */
  async function serving(port: number, body: string): Promise<Server | null> {
    const program = createServer((_request, response) => response.end(body));
    return new Promise((resolve) => {
      program.once('error', () => resolve(null)).listen(port, '127.0.0.1', () => resolve(program));
    });
  }

  test('reaches a server on a port that browsers refuse', async () => {
    const document = { plugins: [], rejected: [], workers: [], started_at: 'today' };
    let program: Server | null = null;
    for (const port of [6665, 6666, 6667, 6668, 6669, 6000, 10080])
      program ??= await serving(port, JSON.stringify(document));
    const { port } = program!.address() as AddressInfo;
    expect(await listed(`http://127.0.0.1:${port}`)).toMatchObject({ code: 0, stdout: 'no plugins\n' });
    program!.close();
  });

  test('of another program says so', async () => {
    const program = (await serving(0, '<html>'))!;
    const url = `http://127.0.0.1:${(program.address() as AddressInfo).port}`;
    const { code, stderr } = await listed(url);
    expect(code).toBe(1);
    expect(stderr).toContain(`the program at ${url} is not a Backworks admin API`);
    program.close();
  });
});
