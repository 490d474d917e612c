import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { parseTarget, mismatch } from '../../dist/authoring/build/target.js';
import { readLibraryFacts } from '../../dist/native/library/facts/index.js';
import { backworks, RunningCommand, scratch } from './command.js';

const directory = scratch();
afterAll(() => directory.remove());
const build = (...args: string[]) => backworks(['plugin', 'build', ...args], { cwd: directory.path });

/** A plugin in C that answers with a text. */
const source = (text: string): string => `#include "backworks_plugin.h"
static const char *process_endpoint(const char *endpoint, const char *method, const char *data_json) {
    (void)endpoint;
    (void)method;
    (void)data_json;
    return "{\\"hello\\":\\"${text}\\"}";
}
PluginInfo plugin_info(void) { return (PluginInfo){"hello", "1.0.0", "Says hello."}; }
PluginVTable plugin_vtable(void) { return (PluginVTable){.process_endpoint = process_endpoint}; }
`;

function project(name: string, files: Readonly<Record<string, string>>): string {
  const path = join(directory.path, name);
  mkdirSync(path, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  return path;
}

test('a single C file is compiled, and the library is checked', async () => {
  const path = project('single', { 'hello.c': source('one') });
  const { code, stdout, stderr } = await build('single', '--json');
  expect(code).toBe(0);
  expect(stderr).toMatch(/^\$ cc .*-shared .*hello\.c$/m);
  const extension = { darwin: 'dylib', win32: 'dll' }[process.platform as string] ?? 'so';
  expect(JSON.parse(stdout)).toMatchObject({
    project: { kind: 'c', directory: path, file: 'hello.c' },
    target: null,
    profile: 'release',
    libraries: [{ path: join(path, `build/libhello.${extension}`), architectures: [process.arch] }],
  });
});

test('a Makefile finds the headers, and an up-to-date build still names its library', async () => {
  project('made', {
    'hello.c': source('one'),
    Makefile: 'libhello.so: hello.c\n\t$(CC) -shared -fPIC -o $@ hello.c\n',
  });
  const first = await build('made');
  expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^built made\/libhello\.so: /) });
  const again = await build('made');
  expect(again).toMatchObject({ code: 0, stdout: expect.stringMatching(/^built made\/libhello\.so: /) });
});

test('a compiler error, a library that is no plugin, and nothing to build are told apart', async () => {
  project('broken', { 'broken.c': 'int x\n' });
  const broken = await build('broken');
  expect(broken).toMatchObject({ code: 4, stdout: '' });
  expect(broken.stderr).toMatch(/broken\.c:1:\d+: error: /);
  expect(broken.stderr).toMatch(/^BW_BUILD_FAILED: cc failed \(exit code 1\)/m);
  project('other', { 'other.c': 'int other(void) { return 1; }\n' });
  const other = await build('other');
  expect(other.code).toBe(4);
  expect(other.stderr).toMatch(/^BW_BUILD_FAILED: .*it does not export plugin_info and plugin_vtable/m);
  project('empty', {});
  const empty = await build('empty');
  expect(empty).toMatchObject({
    code: 4,
    stderr: expect.stringMatching(
      /^BW_BUILD_FAILED: .* has no build file and no C or C\+\+ file — it needs one of Cargo\.toml/,
    ),
  });
});

test('a missing tool and an unknown target are named with what to do', async () => {
  project('crate', { 'Cargo.toml': '[package]\nname = "x"\nversion = "1.0.0"\n' });
  const missing = await backworks(['plugin', 'build', 'crate'], {
    cwd: directory.path,
    env: { PATH: directory.path },
  });
  expect(missing).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /^BW_BUILD_TOOL: the program cargo is not installed.* — install Rust: https:/m,
    ),
  });
  const target = await build('crate', '--target', 'sparc-solaris');
  expect(target).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /^BW_USAGE: --target does not know "sparc-solaris" — give x86_64 or aarch64/,
    ),
  });
});

(process.platform === 'linux' ? test : test.skip)(
  'a library for another system or a newer glibc is not the result',
  async () => {
    const library = join(directory.path, 'single/build/libhello.so');
    const facts = { ...(await readLibraryFacts(library)), libc: 'glibc' as const, glibcFloor: '2.34' };
    const here = process.arch === 'x64' ? 'x86_64' : 'aarch64';
    const there = process.arch === 'x64' ? 'aarch64' : 'x86_64';
    expect(mismatch(parseTarget(`${here}-linux-gnu.2.34`), facts)).toBe(null);
    expect(mismatch(parseTarget(`${here}-linux-gnu`), facts)).toBe(null);
    expect(mismatch(parseTarget(`${here}-linux-gnu.2.17`), facts)).toMatch(
      /glibc 2\.34, which is newer than 2\.17/,
    );
    expect(mismatch(parseTarget(`${here}-linux-musl`), facts)).toMatch(/glibc, not musl/);
    expect(mismatch(parseTarget(`${there}-linux-gnu`), facts)).toMatch(/^it is for /);
    expect(mismatch(parseTarget(`${here}-macos`), facts)).toMatch(/elf file, not mach-o/);
  },
);

test('dev builds, serves, swaps after a change, keeps the last good version after a mistake, and reloads on SIGHUP', async () => {
  const path = project('dev', { 'hello.c': source('one') });
  const file = join(path, 'hello.c');
  const extension = { darwin: 'dylib', win32: 'dll' }[process.platform as string] ?? 'so';
  writeFileSync(
    join(path, 'backworks.yaml'),
    `server: { port: 0 }
admin: { enabled: false }
endpoints: { hello: { path: /hello, plugin: hello } }
plugins: { hello: { path: ./build/libhello.${extension}, timeouts: { call: 10s } } }
`,
  );
  const dev = new RunningCommand(['plugin', 'dev', '.'], { cwd: path });
  const said = (text: RegExp): Promise<string> => dev.until(() => text.exec(dev.stderr)?.[0], text);
  const { url } = (await dev.logged(/^listening on /)) as { url: string };
  const ask = async (): Promise<unknown> => (await fetch(`${url}/hello`)).json();
  await said(/serving hello; waiting for changes/);
  expect(await ask()).toEqual({ hello: 'one' });
  writeFileSync(file, source('two'));
  await said(/swapped hello 1\.0\.0; waiting for changes/);
  expect(await ask()).toEqual({ hello: 'two' });
  writeFileSync(file, 'oops\n');
  await said(/error: [^]*BW_BUILD_FAILED[^]*hello 1\.0\.0 keeps serving; waiting for changes/);
  expect(await ask()).toEqual({ hello: 'two' });
  writeFileSync(file, source('three'));
  await said(/swapped hello[^]*swapped hello/);
  expect(await ask()).toEqual({ hello: 'three' });
  const yaml = readFileSync(join(path, 'backworks.yaml'), 'utf8');
  writeFileSync(
    join(path, 'backworks.yaml'),
    yaml.replace('endpoints: {', 'endpoints: { more: { path: /more, response: { body: more } },'),
  );
  dev.child.kill('SIGHUP');
  await dev.logged(/reloaded/);
  expect(await (await fetch(`${url}/more`)).text()).toBe('more');
  dev.child.kill('SIGINT');
  expect(await dev.finished).toMatchObject({ code: 0, stderr: expect.stringMatching(/stopped\n$/) });
  expect(readFileSync(file, 'utf8')).toBe(source('three'));
});
