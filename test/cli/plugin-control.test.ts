import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { backworks, type Finished, RunningCommand, scratch } from './command.js';

/** `backworks plugin status` and `backworks plugin release`. */
ownCache();
const directory = scratch();
const running: RunningCommand[] = [];
afterAll(async () => {
  for (const command of running) command.child.kill('SIGKILL');
  await Promise.all(running.map(({ finished }) => finished));
  directory.remove();
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function configFile(name: string, admin = 'token: letmein', plugin = ''): Promise<string> {
  return directory.write(
    name,
    `
server: { port: 0 }
admin: { port: ${await freePort()}, ${admin} }
endpoints:
  ok: { path: /ok, plugin: operated }
  crash: { path: /crash, plugin: operated }
plugins:
  operated:
    path: ${compilePlugin('operated')}
    config: { api_key: hunter2 }
    quarantine: { failures: 2, window: 1m }
    restart: { delay: 1ms, max_delay: 1ms }
    ${plugin}
`,
  );
}

const run = (file: string | null, ...args: string[]): Promise<Finished> =>
  backworks([...(file === null ? [] : ['--config', file]), 'plugin', ...args], { cwd: directory.path });
const json = ({ stdout }: Finished): Record<string, never> => JSON.parse(stdout) as Record<string, never>;

async function serve(file: string): Promise<{ url: string; command: RunningCommand }> {
  const command = new RunningCommand(['start', '--config', file], { cwd: directory.path });
  running.push(command);
  const { url } = await command.logged(/^listening on /);
  return { url: String(url), command };
}

async function crashTwice(file: string): Promise<{ url: string; command: RunningCommand }> {
  const server = await serve(file);
  await fetch(`${server.url}/crash`);
  await server.command.logged(/serves again/);
  await fetch(`${server.url}/crash`);
  await server.command.logged(/is in quarantine/);
  return server;
}

async function stop({ child, finished }: RunningCommand): Promise<void> {
  child.kill('SIGTERM');
  expect((await finished).code).toBe(0);
}

test('status without a server shows the declarations of the library on disk', async () => {
  const { code, stdout, stderr } = await run(await configFile('disk.yaml'), 'status', 'operated');
  expect(code).toBe(0);
  expect(stderr).toMatch(/^from disk, nothing was started: /);
  expect(stdout).toMatch(/^operated 1\.0\.0: discovered since \d{4}-/);
  expect(stdout).toMatch(/^ {2}sha256 +[0-9a-f]{64}$/m);
  expect(stdout).toMatch(/^ {2}isolation +process, sandbox strict$/m);
  expect(stdout).toMatch(
    /^ {2}permissions +plugin operated requests network\.connect 443, which its configuration does not grant; the plugin may fail$/m,
  );
  expect(stdout).toMatch(
    /^ {2}limits +memory 256MiB, cgroup none, open files 64, threads 64, file size 64MiB, cpu time of a call 1 s, idle cpu 20%, concurrency 1, queue 1024, frame 16MiB, reply 8MiB, parsed reply 1MiB, log 64KiB\/s, kv 4MiB$/m,
  );
  expect(stdout).not.toContain('hunter2');
});

test('status of a running plugin shows sandbox, processes, calls and the last crash', async () => {
  const file = await configFile('live.yaml');
  const { url, command } = await serve(file);
  await fetch(`${url}/ok`);
  await fetch(`${url}/crash`, { headers: { 'x-request-id': 'the-one' } });
  await command.logged(/serves again/);
  let { code, stdout } = await run(file, 'status', 'operated');
  // The use of a new process is first measured a moment after its start.
  while (!/^ {2}processes .* s CPU, [1-9]\d* threads?$/m.test(stdout))
    ({ code, stdout } = await run(file, 'status', 'operated'));
  expect(code).toBe(0);
  expect(stdout).toMatch(/^operated 1\.0\.0: (ready|degraded) since /);
  expect(stdout).toMatch(/^ {2}sandbox +.*seccomp \d/m);
  expect(stdout).toMatch(/^ {2}calls +process_endpoint 2 \(1 failed\)$/m);
  expect(stdout).toMatch(/^ {2}processes +\d+ ready since \S+, \d+ calls/m);
  expect(stdout).toMatch(/^ {2}crashed \d{4}-\S+$/m);
  expect(stdout).toMatch(/^ {4}BW_PLUGIN_CRASHED: plugin operated crashed with SIGSEGV/m);
  expect(stdout).toMatch(
    /^ {4}phase process_endpoint, signal SIGSEGV, at operated\.so\+0x[0-9a-f]+ \(stumble at operated\.c:\d+\), request the-one$/m,
  );
  expect(stdout).toMatch(
    /^ {4}at stumble \(\S+\/operated\.c:\d+\)\n {4}at process_endpoint \(\S+\/operated\.c:\d+\)$/m,
  );
  expect(stdout).toMatch(/^ {4}limits in force: memory 256MiB, cgroup \S+, open files 64, .*frame 16MiB, /m);
  expect(stdout).toMatch(/^ {4}\| about to stumble$/m);

  const document = json(await run(file, 'status', 'operated', '--json'));
  expect(document).toMatchObject({
    source: 'server',
    plugin: {
      name: 'operated',
      sandbox: { mode: 'strict', missing: [] },
      failures: [{ request_id: 'the-one' }],
    },
  });
  await stop(command);
});

test('list, status and metrics show an incomplete sandbox', async () => {
  const nowhere = directory.path + '/not-there';
  const more = `sandbox: best-effort\n    permissions: { filesystem: { read: [${nowhere}] } }`;
  const file = await configFile('lacking.yaml', 'token: letmein', more);
  const { command } = await serve(file);
  const { stdout } = await run(file, 'list');
  expect(stdout).toMatch(/^NAME .* SANDBOX +REASON$/m);
  expect(stdout).toContain(`best-effort, lacks: filesystem.read ${nowhere} cannot be granted`);
  const status = await run(file, 'status', 'operated');
  expect(status.stdout).toMatch(/^operated 1\.0\.0: degraded since /);
  expect(status.stdout).toContain(`lacks        filesystem.read ${nowhere} cannot be granted`);
  const { url } = await command.logged(/^admin API on /);
  const metrics = await fetch(`${String(url)}/metrics`, { headers: { authorization: 'Bearer letmein' } });
  expect(await metrics.text()).toContain('backworks_plugin_sandbox_degraded{plugin="operated"} 1');
  await stop(command);
});

test('an unknown plugin exits with 4 and lists the known names', async () => {
  const { code, stderr } = await run(await configFile('unknown.yaml'), 'status', '../operated');
  expect(code).toBe(4);
  expect(stderr).toMatch(
    /^BW_PLUGIN_UNKNOWN: no plugin is named "\.\.\/operated" — known plugins: operated$/m,
  );
});

test('the running server releases a plugin and loads it again', async () => {
  const file = await configFile('release.yaml');
  const { url, command } = await crashTwice(file);
  const list = await run(file, 'list');
  expect(list.stdout).toMatch(
    /^operated .* failed .* is in quarantine since .*backworks plugin release [0-9a-f]{12}/m,
  );
  const { code, stdout } = await run(file, 'release', 'operated');
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'released operated, which is now ready\n' });
  expect((await fetch(`${url}/ok`)).status).toBe(200);
  const again = await run(file, 'release', 'operated');
  expect(again.code).toBe(4);
  expect(again.stderr).toMatch(/BW_PLUGIN_STATE: the server at http:\S+ says: plugin operated is ready/);
  await stop(command);
});

describe('without a server', () => {
  let file = '';
  beforeAll(async () => {
    file = await configFile('stopped.yaml');
  });

  test.each(['name', 'digest', 'digest and no file'])(
    'a quarantine is shown and lifted by %s',
    async (how) => {
      await stop((await crashTwice(file)).command);
      const status = json(await run(file, 'status', 'operated', '--json'));
      expect(status).toMatchObject({
        source: 'disk',
        plugin: { state: 'failed', reason: expect.stringContaining('is in quarantine since') },
      });
      const { digest } = (status as unknown as { plugin: { digest: string } }).plugin;
      const which = how === 'name' ? 'operated' : digest.slice(0, 12);
      const { code, stdout } = await run(how === 'digest and no file' ? null : file, 'release', which);
      expect(code).toBe(0);
      expect(stdout).toMatch(
        /^released operated \([0-9a-f]{12}\), in quarantine since \d{4}.*: 2 failures within 60 s/,
      );
      expect(json(await run(file, 'status', 'operated', '--json'))).toMatchObject({
        plugin: { state: 'discovered' },
      });
    },
  );

  test('nothing is released when nothing is in quarantine', async () => {
    const none = await run(file, 'release', 'operated');
    expect(none.code).toBe(4);
    expect(none.stderr).toMatch(/^BW_PLUGIN_STATE: nothing in quarantine matches "operated" — /m);
    for (const which of ['../../etc', 'ab', '']) expect((await run(file, 'release', which)).code).toBe(4);
  });
});

test('with the read token only, status works and release lifts a quarantine for the next start', async () => {
  const file = await configFile('reader.yaml', 'read_token: only-looking');
  const { command } = await crashTwice(file);
  expect(json(await run(file, 'status', 'operated', '--json'))).toMatchObject({ source: 'server' });
  const { code, stderr } = await run(file, 'release', 'operated');
  expect(code).toBe(0);
  expect(stderr).toContain('in the cache directory, for the next start: admin.token is not set');
  await stop(command);
});

test('a missing --config file is an error', async () => {
  expect((await run('nowhere.yaml', 'release', 'operated')).code).toBe(3);
});
