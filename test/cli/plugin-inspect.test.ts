import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { backworks, scratch } from './command.js';

const directory = scratch();
afterAll(() => directory.remove());
const plugin = (...args: string[]) => backworks(['plugin', ...args], { cwd: directory.path });

test('inspect shows the file and what the plugin says about itself', async () => {
  const path = compilePlugin('doubles');
  const { code, stdout } = await plugin('inspect', path, '--json');
  expect(code).toBe(0);
  const bytes = readFileSync(path);
  expect(JSON.parse(stdout)).toMatchObject({
    path,
    size_bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    file: {
      kind: 'shared-library',
      architectures: [process.arch],
      ...(process.platform === 'linux' ? { debug_info: true } : {}),
      exports: ['plugin_info', 'plugin_vtable', 'backworks_extensions'],
    },
    plugin: { name: 'peer', version: '1.0.0', abi_version: 1, functions: ['manifest', 'call'] },
    metadata: { hooks: [], capabilities: ['peer.double'] },
    problem: null,
  });
});

(process.platform === 'linux' ? test : test.skip)(
  'inspect says when there is no debug information',
  async () => {
    const path = join(directory.path, 'stripped.so');
    execFileSync('strip', ['-g', '-o', path, compilePlugin('echo')]);
    const { stdout } = await plugin('inspect', path);
    expect(stdout).toMatch(/^ {2}debug info +none: build with -g/m);
    expect(stdout).toMatch(/^ {2}hooks +before_request, process_endpoint, after_response$/m);
  },
);

test('inspect reports a file that is no plugin, and a library that crashes, with what is known', async () => {
  const crash = await plugin('inspect', compilePlugin('crash_constructor'));
  expect(crash.code).toBe(0);
  expect(crash.stdout).toMatch(/^ {2}format +\S.* shared library for /m);
  expect(crash.stdout).toMatch(/^ {2}not described +.*crashed with SIGSEGV while being loaded/m);
  directory.write('text.so', 'not a library\n');
  const text = await plugin('inspect', 'text.so', '--json');
  expect(text.code).toBe(4);
  expect(JSON.parse(text.stdout)).toMatchObject({
    size_bytes: 14,
    file: null,
    plugin: null,
    problem: { code: 'BW_LIBRARY_FORMAT', message: expect.stringContaining('a text file') },
  });
  const missing = await plugin('inspect', 'missing.so');
  expect(missing).toMatchObject({
    code: 4,
    stderr: expect.stringMatching(/^BW_LIBRARY_NOT_FOUND: .*missing\.so/),
  });
});

test('docs writes a page as Markdown or HTML', async () => {
  const path = compilePlugin('config_schema');
  const { code, stdout } = await plugin('docs', path);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^# config-schema 1\.2\.0\n\nHas a schema for its configuration\.\n/);
  expect(stdout).toContain('- `process_endpoint` answers the requests of its endpoints\n');
  expect(stdout).toMatch(
    /^\| `api_key` \| a string of at least 8 characters \| required \| The key of the account\./m,
  );
  expect(stdout).toContain('plugins:\n  config-schema:\n');
  const html = await plugin('docs', path, '-o', 'page.html');
  expect(html).toMatchObject({ code: 0, stdout: 'wrote page.html\n' });
  expect(readFileSync(join(directory.path, 'page.html'), 'utf8')).toMatch(
    /^<!doctype html>[^]*<h1>config-schema 1\.2\.0<\/h1>/,
  );
  const broken = await plugin('docs', compilePlugin('crash_constructor'));
  expect(broken).toMatchObject({
    code: 4,
    stdout: '',
    stderr: expect.stringMatching(/^BW_PLUGIN_CRASHED: /),
  });
});

test('install copies a plugin, says what to configure, and replaces another one only with --force', async () => {
  const library = compilePlugin('echo');
  const first = await plugin('install', library);
  expect(first.code).toBe(0);
  const installed = join(directory.path, 'plugins/echo.so');
  expect(readFileSync(installed).equals(readFileSync(library))).toBe(true);
  expect(first.stdout).toMatch(/^installed echo 1\.0\.0 /);
  expect(first.stdout).toContain('  plugins:\n    echo: { path: "./plugins/echo.so" }\n');
  expect((await plugin('install', library)).stdout).toMatch(/^unchanged echo 1\.0\.0 /);

  // The same plugin from another file: two files of one name would stop a server.
  const other = join(directory.path, 'newer.so');
  writeFileSync(other, readFileSync(library, 'latin1').replace('1.0.0', '1.0.1'), 'latin1');
  const refused = await plugin('install', other);
  expect(refused).toMatchObject({
    code: 4,
    stderr: expect.stringMatching(
      /^BW_PLUGIN_INSTALL: .*echo\.so is echo 1\.0\.0; echo 1\.0\.1 would replace it/,
    ),
  });
  directory.write('backworks.yaml', 'plugins: { auto_discover: { directories: [./plugins] } }\n');
  const forced = await plugin('install', other, '--force', '--json');
  expect(JSON.parse(forced.stdout)).toMatchObject({
    version: '1.0.1',
    path: installed,
    replaced: { name: 'echo', version: '1.0.0' },
    entry: null,
  });
  expect(existsSync(join(directory.path, 'plugins/newer.so'))).toBe(false);
});

test('install refuses a library that does not load, and leaves nothing behind', async () => {
  const { code, stderr } = await plugin('install', compilePlugin('undefined_symbol'), '--to', 'empty');
  expect(code).toBe(4);
  expect(stderr).toMatch(/^BW_PLUGIN_LOAD: .*undefined_symbol\.so could not be loaded/);
  expect(existsSync(join(directory.path, 'empty'))).toBe(false);
});

test('a plugin compiles with the flags that sdk prints', async () => {
  const { code, stdout } = await backworks(['sdk', '--cflags']);
  expect(code).toBe(0);
  const source = directory.write('sdk.c', '#include "backworks_sdk.h"\nint unused_symbol;\n');
  execFileSync('cc', ['-c', '-o', join(directory.path, 'sdk.o'), stdout.trim(), source], { stdio: 'pipe' });
  const all = await backworks(['sdk', '--json']);
  const places = JSON.parse(all.stdout) as Record<string, string>;
  for (const name of ['root', 'include', 'pkgconfig', 'cmake', 'rust', 'go', 'zig'])
    expect([name, existsSync(places[name] ?? '')]).toEqual([name, true]);
  expect(await backworks(['sdk', '--rust', '--go'])).toMatchObject({ code: 2, stdout: '' });
});
