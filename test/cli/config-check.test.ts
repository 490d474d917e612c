import { afterAll, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compilePlugin } from '../fixtures/compile.js';
import { backworks, MAIN, scratch } from './command.js';

const GOOD = `
name: demo
version: 1.2.3
endpoints:
  hello: { path: /hello, response: { status: 200, body: hi } }
  bye: { path: /bye, response: { status: 200, body: bye } }
plugins:
  one: { path: ${compilePlugin('echo')}, critical: true }
`;
const BAD = `
endpoints:
  hello: { path: hello, response: { status: 200 } }
servr: {}
`;
const directory = scratch({ 'good.yaml': GOOD, 'bad.yaml': BAD, 'broken.yaml': 'a: [', 'two.yml': GOOD });
afterAll(() => directory.remove());
const cwd = directory.path;
const check = (...args: string[]) => backworks(['config', 'check', ...args], { cwd });

test('config check summarizes a valid file in one line', async () => {
  expect(await check('good.yaml')).toEqual({
    code: 0,
    signal: null,
    stdout: 'ok: good.yaml: 2 endpoints, 1 plugin\n',
    stderr: '',
  });
});

test('--json prints the summary as JSON', async () => {
  const { code, stdout } = await check('good.yaml', '--json');
  expect(code).toBe(0);
  expect(stdout.trim().split('\n')).toHaveLength(1);
  expect(JSON.parse(stdout)).toEqual({
    ok: true,
    file: join(cwd, 'good.yaml'),
    environment: null,
    name: 'demo',
    version: '1.2.3',
    endpoints: 2,
    plugins: 1,
    warnings: [],
    refused: [],
    fail_open: [],
  });
});

test('enabled plugins that have before_request and are not critical are named in a warning', async () => {
  const [echo, guarded] = [compilePlugin('echo'), compilePlugin('guard')];
  const endpointOnly = compilePlugin('config_echo');
  const file = join(cwd, 'open.yaml');
  writeFileSync(
    file,
    `plugins:
  one: { path: ${echo} }
  off: { path: ${echo}, enabled: false }
  two: { path: ${guarded}, critical: false }
  three: { path: ${guarded}, critical: true }
  four: { path: ${endpointOnly} }
`,
  );
  const { stderr } = await check(file, '--strict');
  expect(stderr).toContain('requests pass without its before_request: one, two (');
});

test('every problem is a line on stdout with its location', async () => {
  const { code, stdout, stderr } = await check('bad.yaml');
  expect(code).toBe(3);
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/^bad\.yaml:3:18: endpoints\.hello\.path: .*"hello"/);
  expect(lines[1]).toMatch(/^bad\.yaml:4:1: .*did you mean "server"\?$/);
  expect(stderr).toBe('BW_CONFIG_INVALID: 2 problems\n');
});

test('--json prints the problems with their locations', async () => {
  const { code, stdout, stderr } = await check('--json', 'bad.yaml');
  expect({ code, stderr }).toEqual({ code: 3, stderr: '' });
  const { error } = JSON.parse(stdout) as { error: { code: string; problems: unknown[] } };
  expect(error.code).toBe('BW_CONFIG_INVALID');
  expect(error.problems).toEqual([
    expect.objectContaining({ file: 'bad.yaml', line: 3, column: 18, path: 'endpoints.hello.path' }),
    expect.objectContaining({ file: 'bad.yaml', line: 4, column: 1, hint: 'did you mean "server"?' }),
  ]);
});

test('a file that is not YAML and a missing file both exit with 3', async () => {
  const broken = await check('broken.yaml');
  expect(broken.code).toBe(3);
  expect(broken.stdout).toMatch(/^broken\.yaml:1:\d+: /);
  expect(broken.stderr).toMatch(/^BW_CONFIG_SYNTAX: /);
  const missing = await check('missing.yaml');
  expect(missing).toMatchObject({ code: 3, stdout: '' });
  expect(missing.stderr).toMatch(/^BW_CONFIG_NOT_FOUND: .*missing\.yaml does not exist/);
});

test('the file is the argument, else --config, else BACKWORKS_CONFIG, else the directory’s own', async () => {
  const env = { BACKWORKS_CONFIG: 'bad.yaml' };
  const codeOf = async (args: string[], more: object) =>
    (await backworks(['config', 'check', ...args], { cwd, ...more })).code;
  expect(await codeOf(['good.yaml', '--config', 'bad.yaml'], { env })).toBe(0);
  expect(await codeOf(['--config', 'good.yaml'], { env })).toBe(0);
  expect(await codeOf([], { env })).toBe(3);
  const none = await check();
  expect(none.stderr).toMatch(/^BW_CONFIG_NOT_FOUND: neither .*backworks\.yaml nor .*backworks\.yml exists/);

  const own = scratch({ 'backworks.yml': GOOD });
  try {
    const { stdout } = await backworks(['config', 'check'], { cwd: own.path, env: { BACKWORKS_CONFIG: '' } });
    expect(stdout).toBe('ok: backworks.yml: 2 endpoints, 1 plugin\n');
  } finally {
    own.remove();
  }
});

test('a closed pipe is not a failure', () => {
  const script = `"$0" "$1" config check "$2"; echo "exit $?" >&2`;
  const args = ['-c', `{ ${script}; } | true`, process.execPath, MAIN, join(cwd, 'good.yaml')];
  const { stderr } = spawnSync('sh', args, { encoding: 'utf8' });
  expect(stderr).toBe('exit 0\n');
});

// Only some systems have the device /dev/full.
if (existsSync('/dev/full')) {
  test('a result that cannot be written is a failure', () => {
    const script = '"$0" "$1" config check "$2" > /dev/full';
    const args = ['-c', script, process.execPath, MAIN, join(cwd, 'good.yaml')];
    const { status, stderr } = spawnSync('sh', args, { encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^standard output is incomplete: ENOSPC/);
  });
}

test('control characters of a file do not reach the terminal', async () => {
  const file = directory.write('hostile.yaml', '"\\e]0;owned\\a": 1\n');
  const { code, stdout, stderr } = await check(file);
  expect(code).toBe(3);
  expect(stdout + stderr).not.toMatch(/(?!\n)\p{Cc}/u);
  expect(stdout).toContain('owned');
});

test('config blocks are checked against the schemas of their plugins in the same run', async () => {
  const file = directory.write(
    'plugins.yaml',
    `servr: {}
plugins:
  weather:
    path: ${compilePlugin('config_schema')}
    config:
      api_key: long-enough
      unit: metric
    timeouts: { call: fast }
    permissions: { network: { connect: '\${NOT_SET}' } }
  wrong: { path: ./wrong.so, retry: { attempts: x } }
  bad: { path: ${compilePlugin('schema_cycle')} }
`,
  );
  const { code, stdout } = await check(file);
  expect(code).toBe(3);
  expect(stdout.trimEnd().split('\n')).toEqual([
    expect.stringMatching(/plugins\.yaml:1:1: servr: unknown key/),
    expect.stringMatching(
      /:7:7: plugins\.weather\.config\.unit: unknown key "unit" — did you mean "units"\?$/,
    ),
    expect.stringMatching(/:8:23: plugins\.weather\.timeouts\.call: expected a duration/),
    expect.stringMatching(/:9:40: plugins\.weather\.permissions\.network\.connect: .*NOT_SET/),
    expect.stringMatching(/:10:49: plugins\.wrong\.retry\.attempts: expected a whole number/),
    expect.stringMatching(/:11:3: plugins\.bad\.config: the config_schema of its library cannot be used/),
  ]);
});

/** A copy of a library whose header says 64-bit s390. */
function forAnotherProcessor(): string {
  const bytes = readFileSync(compilePlugin('echo'));
  bytes.writeUInt16LE(22, 18);
  const path = join(cwd, 'other.so');
  writeFileSync(path, bytes);
  return path;
}

const withPlugin = (path: string, critical: boolean): string =>
  `server: { port: 0 }\nadmin: { enabled: false }\nplugins:\n  one: { path: ${path}, critical: ${critical} }\n`;

const elf = process.platform === 'linux' ? test : test.skip;
elf.each<[string, () => string, RegExp]>([
  ['a library for another processor', forAnotherProcessor, /BW_LIBRARY_ARCHITECTURE: .*is built for s390x?/],
  ['a missing library', () => './none.so', /BW_LIBRARY_NOT_FOUND: .*none\.so does not exist/],
  ['another plugin ABI', () => compilePlugin('newer_abi'), /BW_PLUGIN_(ABI|LOAD|METADATA): .*ABI/],
  [
    'a library that crashes while it is loaded',
    () => compilePlugin('crash_constructor'),
    /BW_PLUGIN_CRASHED: /,
  ],
  ['a library that is not a plugin', () => compilePlugin('missing_vtable'), /BW_LIBRARY_SYMBOL: /],
  ['a missing dependency', () => compilePlugin('needs_plugin'), /BW_PLUGIN_DEPENDENCY: /],
])('%s: start and config check report the same error', async (_what, library, reason) => {
  const critical = directory.write('critical.yaml', withPlugin(library(), true));
  const checked = await check(critical);
  const started = await backworks(['start', '--config', critical], { cwd });
  expect(checked.code).toBe(started.code);
  expect(checked.code).not.toBe(0);
  expect(checked.stdout).toMatch(reason);
  expect(checked.stdout).toMatch(/^critical\.yaml:4:3: plugins\.one: will not start: /);
  expect(started.stderr).toMatch(reason);
});

test('an optional plugin that does not start is a warning, and fails only with --strict', async () => {
  const optional = directory.write('optional.yaml', withPlugin('./none.so', false));
  const warned = await check(optional);
  expect(warned).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ok: /) });
  expect(warned.stderr).toMatch(/^warning: optional\.yaml:4:3: plugins\.one: will not start: /);
  expect(warned.stderr).toMatch(/BW_LIBRARY_NOT_FOUND: .*none\.so does not exist/);
  expect(await check('--strict', optional)).toMatchObject({ code: 3, stdout: '' });
});

test('--json lists the critical plugins that would prevent the server from starting', async () => {
  const file = directory.write('json.yaml', 'plugins:\n  one: { path: ./one.so, critical: true }\n');
  const { code, stdout } = await check('--json', file);
  expect(code).toBe(4);
  expect(JSON.parse(stdout)).toMatchObject({
    ok: false,
    refused: [{ plugin: 'one', code: 'BW_LIBRARY_NOT_FOUND', where: 'json.yaml:2:3' }],
  });
});

test('--strict accepts a file without warnings', async () => {
  expect(await check('--strict', 'good.yaml')).toMatchObject({ code: 0, stderr: '' });
});
