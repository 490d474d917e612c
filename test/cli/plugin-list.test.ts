import { copyFileSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { backworks, RunningCommand, scratch } from './command.js';

interface Listed {
  source: string;
  plugins: Record<string, unknown>[];
  rejected: Record<string, unknown>[];
}

const directory = scratch();
const cwd = directory.path;
const running: RunningCommand[] = [];

beforeAll(() => {
  mkdirSync(join(cwd, 'plugins'));
  copyFileSync(compilePlugin('echo'), join(cwd, 'plugins/libecho.so'));
  copyFileSync(compilePlugin('missing_vtable'), join(cwd, 'plugins/libnothing.so'));
  directory.write('plugins/libtext.so', 'not a library\n');
});
afterAll(async () => {
  for (const command of running) command.child.kill('SIGKILL');
  await Promise.all(running.map(({ finished }) => finished));
  directory.remove();
});

function configFile(name: string, port: number, more = ''): string {
  return directory.write(
    name,
    `
server: { port: 0 }
admin: { port: ${port}, token: "\${TOKEN:-letmein}" }
endpoints:
  echo: { path: /echo, plugin: echo }
plugins:
  crash: { path: ${compilePlugin('crash_segv')}, priority: 7 }
  refuses: { path: ${compilePlugin('initialize_fails')} }
  off: { path: ${compilePlugin('hang')}, enabled: false }
  auto_discover: { enabled: true, directories: [./plugins] }
${more}`,
  );
}

const list = (file: string, args: string[] = [], env = {}) =>
  backworks(['plugin', 'list', '--config', file, ...args], { cwd, env });

async function listed(file: string, env = {}): Promise<Listed & { stderr: string }> {
  const { code, stdout, stderr } = await list(file, ['--json'], env);
  expect(code).toBe(0);
  return { ...(JSON.parse(stdout) as Listed), stderr };
}

async function serve(file: string): Promise<{ url: string; command: RunningCommand }> {
  const command = new RunningCommand(['start', '--config', file], { cwd });
  running.push(command);
  const { url } = await command.logged(/^listening on /);
  return { url: String(url), command };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('without a server, the libraries on disk are described and nothing is started', async () => {
  const file = configFile('disk.yaml', await freePort());
  const { source, plugins, rejected, stderr } = await listed(file);
  expect(source).toBe('disk');
  expect(stderr).toMatch(/^from disk, nothing was started: no server answers at .*ECONNREFUSED/);
  const states: unknown = Object.fromEntries(
    plugins.map(({ name, state, version }) => [name, [state, version]]),
  );
  expect(states).toEqual({
    crash: ['discovered', '1.0.0'],
    refuses: ['discovered', '1.0.0'],
    off: ['stopped', '1.0.0'],
    echo: ['discovered', '1.0.0'],
  });
  expect(plugins.find(({ name }) => name === 'echo')).toMatchObject({
    origin: 'discovered',
    path: join(cwd, 'plugins/libecho.so'),
    hooks: ['before_request', 'process_endpoint', 'after_response'],
    isolation: 'process',
    critical: false,
    priority: 100,
    processes: [],
  });
  expect(rejected.map(({ path, code }) => [path, code])).toEqual([
    [join(cwd, 'plugins/libnothing.so'), 'BW_LIBRARY_SYMBOL'],
    [join(cwd, 'plugins/libtext.so'), 'BW_LIBRARY_FORMAT'],
  ]);
});

test('the table has a row for each plugin and a line for each rejected file', async () => {
  const { code, stdout, stderr } = await list(configFile('table.yaml', await freePort()));
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines[0]).toMatch(
    /^NAME +VERSION +STATE +HOOKS +ISOLATION +PRIORITY +ORDER +CRITICAL +CALLS\/FAILED +REASON$/,
  );
  expect(stdout).toMatch(/^crash +1\.0\.0 +discovered +endpoint +process +7 +1 +no +-$/m);
  expect(stdout).toMatch(/^echo +1\.0\.0 +discovered +before,endpoint,after +process +100 +3 +no +-$/m);
  expect(stdout).toMatch(/^off +1\.0\.0 +stopped .* disabled in the configuration$/m);
  expect(lines.slice(-2)).toEqual([
    expect.stringMatching(/^rejected BW_LIBRARY_SYMBOL: .*libnothing\.so is not a Backworks plugin.* — /),
    expect.stringMatching(/^rejected BW_LIBRARY_FORMAT: .*libtext\.so is not a shared library/),
  ]);
  expect(stderr).toMatch(/^from disk/);
});

test('the rows are in the order in which a request passes the plugins, and status shows dependencies', async () => {
  const file = directory.write(
    'order.yaml',
    `
admin: { enabled: false }
plugins:
  off: { path: ${compilePlugin('echo')}, enabled: false }
  user: { path: ${compilePlugin('needs_plugin')}, priority: 1 }
  client: { path: ${compilePlugin('needs_capability')} }
  modest: { path: ${compilePlugin('needs_optional')} }
  base: { path: ${compilePlugin('needed')}, priority: 900 }
`,
  );
  const { stdout } = await list(file);
  const rows = stdout.split('\n').slice(1, 6);
  expect(rows.map((row) => /^(\w+) .* (\d+ +[\d-]+) +(?:yes|no) /.exec(row)?.slice(1).join(' '))).toEqual([
    expect.stringMatching(/^modest 100 +1$/),
    expect.stringMatching(/^base 900 +2$/),
    expect.stringMatching(/^user 1 +3$/),
    expect.stringMatching(/^client 100 +4$/),
    expect.stringMatching(/^off 100 +-$/),
  ]);
  const status = async (name: string): Promise<string> =>
    (await backworks(['plugin', 'status', name, '--config', file], { cwd })).stdout;
  expect(await status('user')).toMatch(/^ +needs +plugin base \^1\.2$/m);
  expect(await status('client')).toMatch(/^ +needs +capability storage\.kv: from base$/m);
  expect(await status('modest')).toMatch(/^ +needs +plugin luxury \(optional\): not available$/m);
  expect(await status('base')).toMatch(
    /priority 900, position 2 .*\n +on failure .*\n +bodies .*\n +needed by +user\n +client\n/,
  );
});

test('with a server, live states, calls and processes are listed', async () => {
  const file = configFile('live.yaml', await freePort());
  const { url, command } = await serve(file);
  expect((await fetch(`${url}/echo`)).status).toBe(200);

  const { source, plugins, rejected, stderr } = await listed(file);
  expect(source).toBe('server');
  expect(stderr).toMatch(/^from the server, running since /);
  const [crash, refuses, off, echo] = ['crash', 'refuses', 'off', 'echo'].map((wanted) =>
    plugins.find(({ name }) => name === wanted),
  );
  const someReady: unknown = expect.arrayContaining([expect.objectContaining({ state: 'ready' })]);
  expect(crash).toMatchObject({ state: 'ready', reason: null, processes: someReady });
  expect(refuses).toMatchObject({
    state: 'failed',
    reason: expect.stringContaining('no licence for today'),
  });
  expect(off).toMatchObject({ state: 'stopped' });
  expect(echo).toMatchObject({ calls: { process_endpoint: { calls: 1, failed: 0 } } });
  expect(rejected).toHaveLength(2);
  expect((await list(file)).stdout).toMatch(/^echo +1\.0\.0 +ready .* 3\/0$/m);

  command.child.kill('SIGTERM');
  await command.finished;
  expect((await listed(file)).source).toBe('disk');
});

test('the list shows a crash with its signal', async () => {
  const port = await freePort();
  const file = directory.write(
    'crash.yaml',
    `
server: { port: 0 }
admin: { port: ${port}, token: x }
endpoints: { crash: { path: /crash, plugin: crash } }
plugins: { crash: { path: ${compilePlugin('crash_segv')} } }
`,
  );
  const { url } = await serve(file);
  expect((await fetch(`${url}/crash`)).status).toBe(503);
  const { plugins } = await listed(file);
  expect(plugins[0]).toMatchObject({ calls: { process_endpoint: { calls: 1, failed: 1 } } });
  const { stdout } = await list(file);
  expect(stdout).toMatch(/^crash .* 1\/1/m);
});

test('when the list cannot use a server, it says why and shows the libraries on disk', async () => {
  const port = await freePort();
  const file = configFile('theirs.yaml', port);
  const { command } = await serve(file);
  await command.logged(/^admin API on /);

  const token = await listed(file, { TOKEN: 'another' });
  expect(token).toMatchObject({
    source: 'disk',
    stderr: expect.stringContaining('does not accept this admin token'),
  });
  const other = await listed(configFile('other.yaml', port));
  expect(other).toMatchObject({
    source: 'disk',
    stderr: expect.stringContaining('runs another configuration'),
  });
  const none = directory.write('none.yaml', `admin: { port: ${port} }\n`);
  expect(await listed(none)).toMatchObject({
    source: 'disk',
    plugins: [],
    stderr: expect.stringContaining('admin.token is not set'),
  });
  const off = directory.write('off.yaml', 'admin: { enabled: false }\n');
  expect((await listed(off)).stderr).toContain('the admin API is disabled');
});

test.each([
  ['text', 'hello'],
  ['JSON of another kind', '{"plugins": 3}'],
  ['null', 'null'],
  ['a redirect to a good answer', null],
])('an answer of another program on the admin port, %s, is not taken for a server', async (_case, text) => {
  const file = join(cwd, 'stranger.yaml');
  const good = JSON.stringify({ plugins: [], rejected: [], config_file: file, started_at: 'now' });
  const stranger = createServer(({ url }, response) => {
    if (text === null && url === '/plugins') response.writeHead(302, { location: '/moved' });
    response.end(text ?? good);
  });
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = stranger.address() as AddressInfo;
    directory.write('stranger.yaml', `admin: { port: ${port}, token: x }\n`);
    const { source, stderr } = await listed(file);
    expect(source).toBe('disk');
    expect(stderr).toMatch(/^from disk, nothing was started: .*127\.0\.0\.1:\d+/);
  } finally {
    stranger.closeAllConnections();
    stranger.close();
  }
});

test('the list for a configuration without plugins says that there are none', async () => {
  const { code, stdout } = await list(directory.write('empty.yaml', 'admin: { enabled: false }\n'));
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'no plugins\n' });
});

test('a broken configuration exits with 3, and --json prints a document', async () => {
  const { code, stdout } = await list(directory.write('bad.yaml', 'admn: {}\n'), ['--json']);
  expect(code).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({
    error: { code: 'BW_CONFIG_INVALID', problems: [{ file: 'bad.yaml', line: 1, column: 1 }] },
  });
});
