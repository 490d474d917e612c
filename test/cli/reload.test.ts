import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { backworks, RunningCommand, scratch } from './command.js';

/** The ways in which a running server reloads its file. */
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

const TOKEN = 'planted-token';
const body = (text: string): string => `endpoints: { hello: { path: /, response: { body: ${text} } } }\n`;

interface Service {
  readonly command: RunningCommand;
  readonly file: string;
  /** The answer of the server. */
  get(): Promise<string>;
  /** Log lines about reloads so far. */
  reloads(): string[];
  /** Resolves when the answer equals the expected one. */
  serves(text: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server whose file consists of `text` and the required head. */
async function serve(
  text: string,
  { watch = false, args = [] as string[], place = (name: string) => join(directory.path, name) } = {},
): Promise<Service & { head: string }> {
  const port = await freePort();
  const head = `server: { port: 0, reload: { watch: ${watch}, interval: 20ms } }
admin: { port: ${port}, token: ${TOKEN} }\n`;
  const file = place(`${port}.yaml`);
  writeFileSync(file, head + text);
  const command = new RunningCommand(['start', '--config', file, ...args]);
  running.push(command);
  const { url } = await command.logged(/^listening on/);
  const get = async (): Promise<string> => (await fetch(String(url))).text();
  return {
    command,
    file,
    head,
    get,
    reloads: () =>
      command.log
        .map(({ msg }) => String(msg))
        .filter((msg) => /^(configuration reloaded|reload failed)/.test(msg)),
    async serves(wanted) {
      while ((await get()) !== wanted) await new Promise((resolve) => setTimeout(resolve, 10));
    },
    async stop() {
      command.child.kill('SIGTERM');
      expect((await command.finished).code).toBe(0);
    },
  };
}

describe('SIGHUP', () => {
  test('reloads with the flags of the start', async () => {
    const overlay = (text: string): string =>
      `environments: { test: { endpoints: { hello: { response: { body: ${text} } } } } }\n`;
    const server = await serve(body('one') + overlay('first'), { args: ['--env', 'test'] });
    expect(await server.get()).toBe('first');
    writeFileSync(server.file, server.head + body('two') + overlay('second'));
    server.command.child.kill('SIGHUP');
    await server.serves('second');
    await server.stop();
  });

  test('with an invalid file logs the problems and changes nothing', async () => {
    const server = await serve(body('one'));
    writeFileSync(server.file, `${server.head}endpoints: { hello: { pth: / } }\n`);
    server.command.child.kill('SIGHUP');
    expect(await server.command.logged(/^reload failed: .*unknown key "pth"/)).toMatchObject({
      level: 'error',
      code: 'BW_CONFIG_INVALID',
    });
    expect(await server.get()).toBe('one');
    writeFileSync(server.file, `${server.head}${body('two')}logging: { level: warn }\n`);
    server.command.child.kill('SIGHUP');
    await server.serves('two');
    await server.stop();
    expect(server.command.log.some(({ msg }) => msg === 'stopped')).toBe(false);
  });
});

describe('a watched file', () => {
  const shared = serve(body('start'), { watch: true });

  test('is reloaded when it is written in place in several steps', async () => {
    const server = await shared;
    writeFileSync(server.file, server.head);
    writeFileSync(server.file, server.head + body('half'));
    writeFileSync(server.file, server.head + body('written'));
    await server.serves('written');
  });

  test('is reloaded when an editor replaces it by rename', async () => {
    const server = await shared;
    writeFileSync(`${server.file}~`, server.head + body('renamed'));
    renameSync(`${server.file}~`, server.file);
    await server.serves('renamed');
    // A file that is missing for a moment is not a configuration.
    unlinkSync(server.file);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await server.get()).toBe('renamed');
    writeFileSync(server.file, server.head + body('back'));
    await server.serves('back');
  });

  test('is not reloaded when it is touched or written with the same content', async () => {
    const server = await shared;
    const before = server.reloads().length;
    utimesSync(server.file, new Date(), new Date(Date.now() + 5000));
    await new Promise((resolve) => setTimeout(resolve, 100));
    writeFileSync(server.file, server.head + body('back'));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(server.reloads()).toHaveLength(before);
  });

  test('is reported once when it is invalid, and reloaded when it is valid again', async () => {
    const server = await shared;
    writeFileSync(server.file, 'endpoints: {');
    await server.command.logged(/^reload failed/);
    expect(await server.get()).toBe('back');
    writeFileSync(server.file, server.head + body('mended'));
    await server.serves('mended');
    expect(server.reloads().filter((line) => line.startsWith('reload failed'))).toHaveLength(1);
  });

  test('is no longer watched after watch: false, which is the default', async () => {
    const server = await shared;
    const head = server.head.replace('watch: true', 'watch: false');
    writeFileSync(server.file, head + body('last'));
    await server.serves('last');
    writeFileSync(server.file, head + body('unseen'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await server.get()).toBe('last');
    await server.stop();
  });

  test('is reloaded when the symbolic links of a ConfigMap switch to another directory', async () => {
    const mount = join(directory.path, 'mount');
    const version = (name: string): string => {
      mkdirSync(join(mount, name), { recursive: true });
      return join(mount, name, 'backworks.yaml');
    };
    const turn = (to: string): void => {
      symlinkSync(to, join(mount, '..data_tmp'));
      renameSync(join(mount, '..data_tmp'), join(mount, '..data'));
    };
    const place = (): string => {
      const first = version('..first');
      turn('..first');
      symlinkSync('..data/backworks.yaml', join(mount, 'backworks.yaml'));
      return first && join(mount, 'backworks.yaml');
    };
    const server = await serve(body('first'), { watch: true, place });
    writeFileSync(version('..second'), server.head + body('second'));
    turn('..second');
    rmSync(join(mount, '..first'), { recursive: true });
    await server.serves('second');
    await server.stop();
  });
});

describe('backworks reload', () => {
  const one = compilePlugin('config_echo');
  const plugin = (n: number): string => `plugins: { one: { path: ${one}, config: { n: ${n} } } }\n`;

  test('shows the plan with --dry-run, then applies it, in a table and as JSON', async () => {
    const server = await serve(body('one') + plugin(1));
    const command = (...args: string[]): ReturnType<typeof backworks> =>
      backworks(['reload', '--config', server.file, ...args]);
    expect(await command()).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^reloaded .*nothing changed\n$/),
    });
    const other = `${server.head.replace('port: 0,', 'port: 0, host: 127.0.0.2,')}${body('two')}${plugin(2)}`;
    writeFileSync(server.file, other);
    const plan = await command('--dry-run');
    expect(plan.stdout.split('\n').map((line) => line.replace(/ +/g, ' '))).toEqual([
      'WHAT ACTION CHANGED',
      'plugin one swap config.n',
      'endpoint hello change',
      'server.host needs restart',
      'dry run, nothing was changed; 0 plugins unchanged',
      '',
    ]);
    expect(await server.get()).toBe('one');
    const done = await command('--json');
    expect(done.code).toBe(0);
    expect(JSON.parse(done.stdout)).toMatchObject({
      dry_run: false,
      plugins: [{ name: 'one', action: 'swap', changed: ['config.n'] }],
      needs_restart: ['server.host'],
    });
    expect(await server.get()).toBe('two');
    await server.stop();
  }, 120_000);

  test('names a plugin that does not start, and exits with 4', async () => {
    const server = await serve(plugin(1));
    writeFileSync(
      server.file,
      `${server.head}plugins: { one: { path: ${compilePlugin('initialize_fails')} }, two: { path: ${one} } }`,
    );
    const { code, stdout } = await backworks(['reload', '--config', server.file]);
    expect(code).toBe(4);
    expect(stdout).toMatch(
      /plugin one +failed +path, config\.n +the old version keeps serving: .*initialize/,
    );
    await server.stop();
  }, 120_000);

  test('reports the problems of the file and exits with 3 without asking the server', async () => {
    const file = directory.write('broken.yaml', 'endpoints: { a: { path: nowhere } }');
    const { code, stderr } = await backworks(['reload', '--config', file]);
    expect(code).toBe(3);
    expect(stderr).toContain('endpoints.a.path');
  }, 120_000);

  test('reports a missing server, and a server that it cannot control', async () => {
    const file = directory.write('alone.yaml', `admin: { port: ${await freePort()}, token: x }`);
    const alone = await backworks(['reload', '--config', file]);
    expect(alone).toMatchObject({ code: 1, stderr: expect.stringMatching(/no server answers at/) });
    directory.write('alone.yaml', `admin: { port: ${await freePort()} }`);
    expect((await backworks(['reload', '--config', file])).stderr).toMatch(/BW_SERVER_UNREACHABLE.*token/);
  }, 120_000);
});
