import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { BackworksError } from '../../dist/errors.js';
import { findJsonCheck, findRunner } from '../../dist/native/binaries.js';
import { temporaryDirectory, write } from './library/facts/library-files.js';

const directory = temporaryDirectory();
const platform = process.platform;
let packageRoot: string;
let count = 0;

beforeEach(() => {
  packageRoot = join(directory, `package${count++}`);
  write(makeParent(join(packageRoot, 'package.json')), '{"name":"backworks"}');
});

function makeParent(path: string): string {
  mkdirSync(join(path, '..'), { recursive: true });
  return path;
}

function program(path: string, mode = 0o755): string {
  write(makeParent(path), '#!/bin/sh\n', mode);
  return path;
}

function refusal(search: Parameters<typeof findRunner>[0], find = findRunner): string {
  try {
    return `found ${find(search)}`;
  } catch (error) {
    if (!(error instanceof BackworksError)) throw error;
    return String(error);
  }
}

const search = () => ({ packageRoot, platform, arch: 'x64', musl: false, env: {} });
const build = () => program(join(packageRoot, 'build/Release/backworks-runner'));
const install = (mode: number, file = 'backworks-runner') => {
  return installAs(`runner-${platform}-x64`, mode, file);
};
const installAs = (name: string, mode = 0o755, file = 'backworks-runner') => {
  const folder = join(packageRoot, `node_modules/@backworks/${name}`);
  write(makeParent(join(folder, 'package.json')), `{"name":"@backworks/${name}"}`);
  return program(join(folder, file), mode);
};
const makeCheckout = () => write(join(packageRoot, 'binding.gyp'), '{}');

test('finds the built runner in a checkout', () => {
  const built = build();
  expect(findRunner(search())).toBe(built);
});

test('prefers the prebuilt package over the build', () => {
  build();
  const prebuilt = install(0o755);
  expect(findRunner(search())).toBe(prebuilt);
});

test('skips a prebuilt runner that cannot be executed', () => {
  install(0o644);
  const built = build();
  expect(findRunner(search())).toBe(built);
});

test('prefers the override over both, and ignores an empty override', () => {
  const prebuilt = install(0o755);
  const other = program(join(packageRoot, 'other'));
  expect(findRunner({ ...search(), env: { BACKWORKS_RUNNER: other } })).toBe(other);
  expect(findRunner({ ...search(), env: { BACKWORKS_RUNNER: '' } })).toBe(prebuilt);
});

test('the runner for musl is in a package of its own', () => {
  const glibc = install(0o755);
  const musl = installAs(`runner-${platform}-x64-musl`);
  expect(findRunner({ ...search(), musl: true })).toBe(musl);
  expect(findRunner(search())).toBe(glibc);
});

test('lists every place it looked for a missing runner; in a checkout, the remedy is to build it', () => {
  makeCheckout();
  expect(refusal(search())).toBe(
    `BW_RUNNER_NOT_FOUND: the runner program is missing; looked at package ` +
      `@backworks/runner-${platform}-x64 (not installed), then ${packageRoot}/build/Release/backworks-runner` +
      ' — run npm run build',
  );
});

test('in an installed package, the remedy is to install the package of this platform, if there is one', () => {
  const name = `@backworks/runner-${platform}-x64`;
  const manifest = { name: 'backworks', optionalDependencies: { [name]: '1.2.3' } };
  write(join(packageRoot, 'package.json'), JSON.stringify(manifest));
  expect(refusal(search())).toMatch(
    new RegExp(`npm install ${name}@1\\.2\\.3, which npm leaves out with --omit=optional$`),
  );
  expect(refusal({ ...search(), arch: 'riscv64' })).toMatch(
    /there is no package for this system: build it in a checkout, and name it in BACKWORKS_RUNNER$/,
  );
});

test('rejects a wrong override even when another runner exists', () => {
  build();
  const env = { BACKWORKS_RUNNER: '/no/such/program' };
  expect(refusal({ ...search(), env })).toBe(
    'BW_RUNNER_NOT_FOUND: the runner program is missing; looked at /no/such/program (from BACKWORKS_RUNNER)' +
      ' — correct or unset BACKWORKS_RUNNER',
  );
});

test('knows the file name extensions of Windows', () => {
  const built = program(join(packageRoot, 'build/Release/backworks-runner.exe'));
  expect(findRunner({ packageRoot, platform: 'win32', arch: 'x64', env: {} })).toBe(built);
  const library = program(join(packageRoot, 'build/Release/backworks-json-check.dll'));
  expect(findJsonCheck({ packageRoot, platform: 'win32', arch: 'x64', env: {} })).toBe(library);
});

test('finds the JSON check library next to the runner; it need not be executable', () => {
  const built = program(join(packageRoot, 'build/Release/backworks-json-check.so'), 0o644);
  const prebuilt = install(0o644, 'backworks-json-check.so');
  expect(findJsonCheck(search())).toBe(prebuilt);
  expect(findJsonCheck({ ...search(), arch: 'other' })).toBe(built);
  expect(findJsonCheck({ ...search(), env: { BACKWORKS_JSON_CHECK: built } })).toBe(built);
});

test('lists every place it looked for a missing library, and how to build it', () => {
  makeCheckout();
  expect(refusal(search(), findJsonCheck)).toBe(
    `BW_RUNNER_NOT_FOUND: the library that checks JSON is missing; looked at package ` +
      `@backworks/runner-${platform}-x64 (not installed), then ${packageRoot}/build/Release/backworks-json-check.so` +
      ' — run npm run build',
  );
});
