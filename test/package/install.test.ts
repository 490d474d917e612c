import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findProgram } from '../../dist/native/binaries.js';
import { compilePlugin } from '../fixtures/compile.js';
import { startProgram } from '../fixtures/started-program.js';
import { Registry } from './registry.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const packages = join(root, 'build/packages');
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'backworks-install-')));
const musl = spawnSync('ldd', ['--version'], { encoding: 'utf8' }).stderr.includes('musl');
const platform = `${process.platform}-${process.arch}${musl ? '-musl' : ''}`;
const LISTENING = /listening on (http:\/\/[\d.:]+)/;
const INSTALL_LIMIT_MS = 240_000;

/** A PATH with Node, npm and a shell, and without compilers, make and Python. */
const tools = join(folder, 'tools');
const npm = realpathSync(findProgram('npm') ?? '');
const env = {
  PATH: tools,
  HOME: folder,
  NO_COLOR: '1',
  npm_config_cache: join(folder, 'npm-cache'),
  npm_config_update_notifier: 'false',
};
const backworks = join(folder, 'node_modules/.bin/backworks');
let registry: Registry;

beforeAll(async () => {
  mkdirSync(tools);
  symlinkSync(process.execPath, join(tools, 'node'));
  symlinkSync('/bin/sh', join(tools, 'sh'));
  registry = await Registry.start(packages, root);
  writeFileSync(join(folder, 'package.json'), '{"private": true}');
  await npmCommand(['install', '--ignore-scripts', '--no-audit', '--no-fund', 'backworks']);
}, INSTALL_LIMIT_MS);

afterAll(async () => {
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Not spawnSync(): that would block the registry, which is in this process. */
async function run(command: readonly string[], cwd = folder, environment: NodeJS.ProcessEnv = env) {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { cwd, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: output.trim() };
}

async function succeed(...given: Parameters<typeof run>): Promise<string> {
  const { code, output } = await run(...given);
  if (code !== 0) throw new Error(`${given[0].join(' ')}: exit code ${code}\n${output}`);
  return output;
}

const npmCommand = (args: readonly string[]): Promise<string> =>
  succeed([process.execPath, npm, ...args, '--registry', registry.url, '--loglevel=error']);

function serve(config: string) {
  return startProgram([backworks, 'start', '--config', config], { ready: LISTENING, env });
}

test('npm installs the runner of this platform and no other', () => {
  expect(readdirSync(join(folder, 'node_modules/@backworks'))).toEqual([`runner-${platform}`]);
});

test('nothing was compiled: the machine as npm saw it has no compiler', async () => {
  for (const program of ['cc', 'gcc', 'c++', 'make', 'python3']) {
    expect((await run(['sh', '-c', `command -v ${program}`])).code).not.toBe(0);
  }
});

test('npx finds the command', async () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  expect(await npmCommand(['exec', '--no', '--', 'backworks', '--version'])).toBe(version);
});

test('serves a static endpoint, a plugin in a runner, and a plugin in the server', async () => {
  const library = compilePlugin('echo');
  const config = join(folder, 'backworks.yaml');
  writeFileSync(
    config,
    `server: { port: 0 }
endpoints:
  hello: { path: /hello, response: { status: 200, body: { hello: world } } }
  one: { path: /isolated, plugin: isolated }
  two: { path: /in-process, plugin: inside }
plugins:
  isolated: { path: '${library}' }
  inside: { path: '${library}', isolation: in-process, trusted: true }
`,
  );
  const server = await serve(config);
  expect(await (await fetch(`${server.said}/hello`)).json()).toEqual({ hello: 'world' });
  expect((await fetch(`${server.said}/isolated`)).status).toBe(200);
  expect((await fetch(`${server.said}/in-process`)).status).toBe(200);
  expect(await server.end()).toBe(0);
});

test('a new plugin is built with the SDK of the package', async () => {
  const author = { ...env, PATH: process.env['PATH'] };
  await succeed([backworks, 'plugin', 'new', 'hello', '--lang', 'c', '--template', 'basic'], folder, author);
  await succeed([backworks, 'plugin', 'build'], join(folder, 'hello'), author);
  const include = await succeed([backworks, 'sdk', '--include']);
  expect(include).toBe(join(folder, 'node_modules/backworks/native-sdk/include'));
  const shown = await succeed([backworks, 'plugin', 'inspect', libraryBelow(join(folder, 'hello'))]);
  expect(shown).toContain('plugin_vtable');
});

function libraryBelow(directory: string): string {
  const found = readdirSync(directory, { recursive: true, encoding: 'utf8' }).find((file) =>
    file.endsWith('.so'),
  );
  return join(directory, found ?? 'no library');
}

test('without the package of the platform, the error says which package to install', async () => {
  const place = join(folder, 'node_modules/@backworks');
  renameSync(place, `${place}-away`);
  try {
    const { code, output } = await run([backworks, 'plugin', 'inspect', compilePlugin('echo')]);
    expect(code).not.toBe(0);
    expect(output).toContain(`package @backworks/runner-${platform} (not installed)`);
    expect(output).toContain(`npm install @backworks/runner-${platform}@`);
  } finally {
    renameSync(`${place}-away`, place);
  }
});
