import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { backworks, MAIN, RunningCommand, type RunOptions, scratch } from './command.js';

const directory = scratch();
const running = new Set<RunningCommand>();
afterAll(async () => {
  for (const command of running) command.child.kill('SIGKILL');
  await Promise.all([...running].map(({ finished }) => finished));
  directory.remove();
});

let files = 0;

/** Writes a configuration that uses free ports. */
function configFile(more = ''): string {
  return directory.write(
    `config-${(files += 1)}.yaml`,
    `
admin: { port: 0, token: letmein }
endpoints:
  hello: { path: /hello, methods: [GET], response: { status: 200, body: { hello: world } } }
${more.includes('server:') ? '' : 'server: { port: 0 }'}
${more}`,
  );
}

function launch(file: string, args: readonly string[] = [], options: RunOptions = {}): RunningCommand {
  const command = new RunningCommand(['start', '--config', file, ...args], options);
  running.add(command);
  return command;
}

async function serving(command: RunningCommand): Promise<{ url: string; adminUrl: string }> {
  const { url } = await command.logged(/^listening on /);
  const { url: adminUrl } = await command.logged(/^admin API on /);
  return { url: String(url), adminUrl: String(adminUrl) };
}

test('start serves, logs the address, and exits with 0 on SIGTERM', async () => {
  const plugins = `plugins: { echo: { path: ${compilePlugin('echo')} } }`;
  const command = launch(configFile(plugins));
  const { url, adminUrl } = await serving(command);
  expect(await (await fetch(`${url}/hello`)).json()).toEqual({ hello: 'world' });
  expect((await fetch(`${adminUrl}/readyz`)).status).toBe(200);

  const attempt = await command.logged(/^try: /);
  expect(attempt['msg']).toBe(`try: curl ${url}/hello`);
  command.child.kill('SIGTERM');
  const { code, signal, stderr } = await command.finished;
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });

  const listening = command.log.find(({ msg }) => msg === `listening on ${url}`);
  expect(listening).toMatchObject({
    level: 'info',
    plugins: [{ name: 'echo', version: '1.0.0', state: 'ready', reason: null }],
  });
  expect(Number.isNaN(Date.parse(String(listening?.['time'])))).toBe(false);
  expect(command.log.slice(-2)).toEqual([
    expect.objectContaining({ msg: 'stopping after the requests in flight', signal: 'SIGTERM' }),
    expect.objectContaining({ msg: 'stopped' }),
  ]);
  await expect(fetch(`${url}/hello`)).rejects.toThrow();
});

test('a request in flight finishes after SIGINT', async () => {
  let respond = (): void => undefined;
  const upstream = createServer((_request, response) => (respond = () => response.end('late')));
  const target = await listenLocally(upstream);
  try {
    const endpoints = `endpoints: { slow: { path: /slow, proxy: { target: "${target}" } } }`;
    const proxied = directory.write(
      'proxied.yaml',
      `server: { port: 0 }\nadmin: { port: 0 }\n${endpoints}\n`,
    );
    const command = launch(proxied);
    const { url } = await serving(command);
    const arrived = new Promise<void>((resolve) => upstream.once('request', () => resolve()));
    const answer = fetch(`${url}/slow`);
    await arrived;
    command.child.kill('SIGINT');
    await command.logged(/^stopping after the requests in flight$/);
    respond();
    expect(await (await answer).text()).toBe('late');
    expect(await command.finished).toMatchObject({ code: 0, signal: null });
  } finally {
    upstream.closeAllConnections();
    upstream.close();
  }
});

test('a signal during startup exits with 0, without waiting for traffic', async () => {
  const port = await freePort();
  const entry = `{ path: ${compilePlugin('hang_constructor')}, timeouts: { initialize: 2s } }`;
  const text = `server: { port: 0 }\nadmin: { port: ${port} }\nplugins: { hang: ${entry} }\n`;
  const command = launch(directory.write('hang.yaml', text));
  await answers(`http://127.0.0.1:${port}/healthz`);
  const ready = await fetch(`http://127.0.0.1:${port}/readyz`);
  expect([ready.status, await ready.json()]).toEqual([503, expect.objectContaining({ status: 'starting' })]);
  command.child.kill('SIGTERM');
  await command.logged(/^stopping; startup had not completed$/);
  expect(await command.finished).toMatchObject({ code: 0, signal: null, stderr: '' });
  expect(command.log.at(-1)).toMatchObject({ msg: 'stopped' });
});

test.each<[NodeJS.Signals, number]>([
  ['SIGINT', 130],
  ['SIGTERM', 143],
])('a second signal, %s, ends the server at once with exit code %d', async (signal, exit) => {
  const command = launch(configFile('server: { port: 0, shutdown: { delay: 1h } }'));
  await serving(command);
  command.child.kill('SIGTERM');
  await command.logged(/^stopping after the requests in flight$/);
  command.child.kill(signal);
  expect(await command.finished).toMatchObject({ code: exit, signal: null });
});

test('SIGHUP reloads the configuration, and the server keeps running', async () => {
  const command = launch(configFile());
  const { url } = await serving(command);
  command.child.kill('SIGHUP');
  expect(await command.logged(/reloaded/)).toMatchObject({
    level: 'info',
    msg: 'configuration reloaded: nothing changed',
  });
  expect((await fetch(`${url}/hello`)).status).toBe(200);
  command.child.kill('SIGTERM');
  expect(await command.finished).toMatchObject({ code: 0 });
});

test('a closed log pipe does not stop the server', async () => {
  const command = launch(configFile());
  const { url } = await serving(command);
  await command.logged(/^try: /);
  command.child.stdout?.destroy();
  command.child.kill('SIGHUP');
  expect((await fetch(`${url}/hello`)).status).toBe(200);
  command.child.kill('SIGTERM');
  expect(await command.finished).toMatchObject({ code: 0, signal: null, stderr: '' });
});

// Only some systems have the device /dev/full.
if (existsSync('/dev/full')) {
  test('a full disk for the log does not stop the server', async () => {
    const port = await freePort();
    const file = configFile(`server: { port: ${port} }`);
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [MAIN, 'start', '--config', file], {
      stdio: ['ignore', full, 'pipe'],
    });
    const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
    closeSync(full);
    await Promise.race([answers(`http://127.0.0.1:${port}/hello`), ended]);
    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: 0, signal: null });
  });
}

test('a generated admin token is shown once, on stderr only, and works', async () => {
  const file = directory.write('no-token.yaml', 'server: { port: 0 }\nadmin: { port: 0 }\n');
  const command = launch(file);
  const { adminUrl } = await serving(command);
  const token = await command.until(() => /^admin token .*: (\S+)\n/m.exec(command.stderr)?.[1], 'a token');
  const authorization = `Bearer ${token}`;
  expect((await fetch(`${adminUrl}/plugins`, { headers: { authorization } })).status).toBe(200);
  expect((await fetch(`${adminUrl}/plugins`)).status).toBe(401);
  command.child.kill('SIGTERM');
  const { stdout, stderr } = await command.finished;
  expect(stdout).not.toContain(token);
  expect(stderr.split(token)).toHaveLength(2);
});

test('a configured admin token is shown nowhere', async () => {
  const command = launch(configFile());
  await serving(command);
  await command.logged(/^try: /);
  command.child.kill('SIGTERM');
  const { stdout, stderr } = await command.finished;
  expect(stdout + stderr).not.toContain('letmein');
});

test('a critical plugin that does not start makes start exit with 4; an optional one does not', async () => {
  const path = compilePlugin('initialize_fails');
  const critical = configFile(`plugins: { boom: { path: ${path}, critical: true } }`);
  const failed = await backworks(['start', '--config', critical]);
  expect(failed.code).toBe(4);
  expect(failed.stderr).toMatch(/^BW_PLUGIN_INITIALIZE: .*boom.*no licence for today — .+\n$/);

  const optional = launch(configFile(`plugins: { boom: { path: ${path} } }`));
  const { adminUrl } = await serving(optional);
  expect(await (await fetch(`${adminUrl}/readyz`)).json()).toEqual({
    status: 'ready',
    not_serving: [{ name: 'boom', state: 'failed', critical: false }],
    degraded: [],
  });
  optional.child.kill('SIGTERM');
  expect(await optional.finished).toMatchObject({ code: 0 });
});

test('an address in use makes start exit with 1, and --json prints a document', async () => {
  const occupant = createServer();
  const { port } = new URL(await listenLocally(occupant));
  try {
    const file = configFile(`server: { port: ${port} }`);
    const { code, stderr } = await backworks(['start', '--config', file]);
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^BW_SERVER_LISTEN: port ${port} of 127.0.0.1 is in use`));
    const json = await backworks(['start', '--config', file, '--json']);
    const last = json.stdout.trimEnd().split('\n').at(-1) ?? '';
    expect(JSON.parse(last)).toMatchObject({ error: { code: 'BW_SERVER_LISTEN' } });
    expect(json).toMatchObject({ code: 1, stderr: '' });
  } finally {
    occupant.close();
  }
});

test('a broken configuration makes start exit with 3 and list all problems', async () => {
  const file = directory.write('broken.yaml', 'server: { port: none }\nadmn: {}\n');
  const { code, stdout, stderr } = await backworks(['start', '--config', file], { cwd: directory.path });
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  const lines = stderr.trimEnd().split('\n');
  expect(lines[0]).toBe('BW_CONFIG_INVALID: 2 problems');
  expect(lines[1]).toMatch(/^broken\.yaml:1:17: server\.port: /);
  expect(lines[2]).toMatch(/^broken\.yaml:2:1: .*did you mean "admin"\?$/);
});

test.each([
  ['an exception', 'throw new Error("planted")'],
  ['a rejection', 'void Promise.reject(new Error("planted"))'],
])('%s that is not caught is logged as fatal, and the server exits with 1', async (_case, statement) => {
  const code = `process.on("SIGUSR2", () => { ${statement}; });`;
  const command = launch(configFile(), [], { imports: [`data:text/javascript,${encodeURIComponent(code)}`] });
  await serving(command);
  command.child.kill('SIGUSR2');
  const { code: exit, stderr } = await command.finished;
  expect(exit).toBe(1);
  expect(command.log.at(-1)).toMatchObject({
    level: 'fatal',
    msg: 'unexpected error in the server itself; the server exits',
    err: { message: 'planted', stack: expect.stringContaining('planted') },
  });
  expect(stderr).toBe('BW_INTERNAL: planted\n');
});

test('logging.format pretty writes readable lines; --json overrides it', async () => {
  const file = configFile('logging: { format: pretty }');
  const readable = launch(file);
  await readable.until(() => /try: curl/.exec(readable.stdout) ?? undefined, 'the line to try');
  readable.child.kill('SIGTERM');
  expect((await readable.finished).stdout).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} info {2}listening on http:\/\/127\.0\.0\.1:\d+ url=http/m,
  );

  const json = launch(file, ['--json']);
  await serving(json);
  json.child.kill('SIGTERM');
  expect(await json.finished).toMatchObject({ code: 0 });
});

test('logging.level silences the log', async () => {
  const port = await freePort();
  const command = launch(configFile(`server: { port: ${port} }\nlogging: { level: silent }`));
  await answers(`http://127.0.0.1:${port}/hello`);
  command.child.kill('SIGTERM');
  expect(await command.finished).toMatchObject({ code: 0, stdout: '', stderr: '' });
});

function listenLocally(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    });
  });
}

async function freePort(): Promise<string> {
  const server = createServer();
  const { port } = new URL(await listenLocally(server));
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Resolves when a server answers at the URL. */
async function answers(url: string): Promise<void> {
  for (;;) {
    try {
      await fetch(url);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

test('an IPv6 address may be written in brackets, as in URLs', async () => {
  const yaml = `server: { host: "[::1]", port: 0 }\nlogging: { format: json }\n`;
  const file = directory.write(
    'brackets.yaml',
    `${yaml}admin: { host: "[::1]", port: 0, token: letmein }
endpoints: { hello: { path: /hello, response: { body: hi } } }\n`,
  );
  const command = launch(file);
  const { url, adminUrl } = await serving(command);
  expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/);
  expect(adminUrl).toMatch(/^http:\/\/\[::1\]:\d+$/);
  expect((await command.logged(/^try: /))['msg']).toBe(`try: curl '${url}/hello'`);
  expect(await (await fetch(`${url}/hello`)).text()).toBe('hi');
  command.child.kill('SIGTERM');
  expect((await command.finished).code).toBe(0);
});

test('a plugin cannot forge log lines in either format, and its stderr is not logged as a warning', async () => {
  const path = compilePlugin('forged_line');
  for (const format of ['json', 'pretty']) {
    const file = configFile(
      `logging: { format: ${format} }
plugins: { forged: { path: ${path} }, refused: { path: ${path}, config: { refuse: true } } }
`.replace('endpoints', ''),
    );
    const command = launch(file);
    const listening = (): string | undefined => /listening on (http:[^\s"]+)/.exec(command.stdout)?.[1];
    const url = await command.until(listening, 'the announcement');
    await fetch(`${url}/nowhere`);
    await command.until(() => (command.stdout.includes('written') ? true : undefined), 'its stderr');
    command.child.kill('SIGTERM');
    const { stdout, stderr } = await command.finished;
    expect(stdout).not.toMatch(/^\s*(\S+ passed|ok:) +forged/m);
    // eslint-disable-next-line no-control-regex -- control characters are what must not be there
    expect(stdout + stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u0080-\u009f\u2028\u2029]/);
    const written = stdout.split('\n').find((line) => line.includes('written')) ?? '';
    expect(written).toMatch(
      format === 'json' ? /"level":"info".*"source":"stderr"/ : / info .*source=stderr/,
    );
  }
});
