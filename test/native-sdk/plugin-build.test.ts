/** `plugin build` with the compilers of other languages, and for other systems. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { backworks, scratch } from '../cli/command.js';
import { root, target } from './language.js';

const BUILD_MS = 1_200_000;
const zig = join(root, 'build/zig/ziglang/zig');
const caches = join(target, 'zig/cache');
const zigIsMissing = !existsSync(zig);
const cpu = process.arch === 'arm64' ? 'aarch64' : 'x86_64';

const directory = scratch();
afterAll(() => directory.remove());

interface Built {
  readonly libraries: readonly {
    readonly path: string;
    readonly format: string;
    readonly architectures: readonly string[];
    readonly libc: string | null;
    readonly glibc_floor: string | null;
  }[];
}

/** @returns the only library that the build reports */
async function build(project: string, ...args: string[]): Promise<Built['libraries'][number]> {
  mkdirSync(caches, { recursive: true });
  const env = {
    PATH: `${dirname(zig)}${delimiter}${process.env['PATH'] ?? ''}`,
    ZIG_LOCAL_CACHE_DIR: caches,
    ZIG_GLOBAL_CACHE_DIR: caches,
    GOFLAGS: '-buildvcs=false',
    GOPROXY: 'off',
    GOWORK: 'off',
  };
  const command = ['plugin', 'build', project, '--json', ...args];
  const { code, stdout, stderr } = await backworks(command, { cwd: directory.path, env });
  if (code !== 0) throw new Error(`${command.join(' ')}: exit code ${code}\n${stdout}${stderr}`);
  const { libraries } = JSON.parse(stdout) as Built;
  expect(libraries).toHaveLength(1);
  return libraries[0]!;
}

function project(name: string, files: Readonly<Record<string, string>>): string {
  for (const [file, text] of Object.entries(files)) {
    const path = join(directory.path, name, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return name;
}

/** Uses functions of the C library, so that the library needs versions of it. */
const C = `#include <stdlib.h>
#include <string.h>
#include "backworks_plugin.h"
static const char *process_endpoint(const char *endpoint, const char *method, const char *data_json) {
    (void)method;
    (void)data_json;
    return strlen(endpoint) > 1 && getenv("HELLO") != NULL ? "{}" : NULL;
}
PluginInfo plugin_info(void) { return (PluginInfo){"hello", "1.0.0", "Says hello."}; }
PluginVTable plugin_vtable(void) { return (PluginVTable){.process_endpoint = process_endpoint}; }
`;
const CMAKE = `cmake_minimum_required(VERSION 3.16)
project(hello C)
find_package(backworks REQUIRED)
backworks_add_plugin(hello hello.c)
`;
const CARGO = `[package]
name = "hello"
version = "1.0.0"
edition = "2021"
[lib]
crate-type = ["cdylib"]
[workspace]
`;
const RUST = ['plugin_info', 'plugin_vtable']
  .map((name) => `#[no_mangle]\npub extern "C" fn ${name}() -> usize { std::env::args().count() }\n`)
  .join('');
const GO = `package main

import "C"

//export plugin_info
func plugin_info() int32 { return 0 }

//export plugin_vtable
func plugin_vtable() int32 { return 0 }

func main() {}
`;

test('Rust and Go are built with their own tools', async () => {
  const rust = await build(project('rust', { 'Cargo.toml': CARGO, 'src/lib.rs': RUST }), '--debug');
  expect(rust.path).toContain(join('rust', 'target', 'debug'));
  expect(rust.architectures).toEqual([process.arch]);
  const go = await build(project('go', { 'go.mod': 'module hello\n\ngo 1.21\n', 'main.go': GO }));
  expect(go.path).toContain(join('go', 'build'));
  expect(go.architectures).toEqual([process.arch]);
}, 300_000);

(zigIsMissing ? describe.skip : describe)('with zig', () => {
  test.each([
    ['x86_64-linux-gnu.2.17', { format: 'elf', architectures: ['x64'], libc: 'glibc' }],
    ['aarch64-linux-gnu.2.17', { format: 'elf', architectures: ['arm64'], libc: 'glibc' }],
    ['x86_64-linux-musl', { format: 'elf', architectures: ['x64'] }],
    ['aarch64-linux-musl', { format: 'elf', architectures: ['arm64'] }],
    ['x86_64-windows-gnu', { format: 'pe', architectures: ['x64'] }],
    ['aarch64-windows-gnu', { format: 'pe', architectures: ['arm64'] }],
    ['x86_64-macos', { format: 'mach-o', architectures: ['x64'] }],
    ['aarch64-macos', { format: 'mach-o', architectures: ['arm64'] }],
  ])(
    'C is built for %s',
    async (name, expected) => {
      const library = await build(project('c', { 'hello.c': C }), '--target', name);
      expect(library).toMatchObject(expected);
      expect(library.path).toContain(join('c', 'build', name));
    },
    BUILD_MS,
  );

  test(
    'CMake, Rust and Go are built for an older glibc',
    async () => {
      const name = `${cpu}-linux-gnu.2.17`;
      const made = [
        await build(project('cmake', { 'hello.c': C, 'CMakeLists.txt': CMAKE }), '--target', name),
        await build(project('rust', { 'Cargo.toml': CARGO, 'src/lib.rs': RUST }), '--target', name),
        await build(
          project('go', { 'go.mod': 'module hello\n\ngo 1.21\n', 'main.go': GO }),
          '--target',
          name,
        ),
      ];
      for (const { libc, glibc_floor: floor } of made) {
        expect(libc).toBe('glibc');
        expect(Number((floor ?? '').split('.')[1])).toBeLessThanOrEqual(17);
      }
    },
    BUILD_MS,
  );
});
