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

const search = () => ({ packageRoot, platform, arch: 'x64', env: {} });
const build = () => program(join(packageRoot, 'build/Release/backworks-runner'));
const install = (mode: number, file = 'backworks-runner') => {
  const folder = join(packageRoot, `node_modules/@backworks/runner-${platform}-x64`);
  write(makeParent(join(folder, 'package.json')), `{"name":"@backworks/runner-${platform}-x64"}`);
  return program(join(folder, file), mode);
};

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

test('lists every place it looked for a missing runner, and how to build it', () => {
  expect(refusal(search())).toBe(
    `BW_RUNNER_NOT_FOUND: the runner program is missing; looked at package ` +
      `@backworks/runner-${platform}-x64 (not installed), then ${packageRoot}/build/Release/backworks-runner` +
      ' — in a checkout run npm run build; else reinstall with optional dependencies',
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
  expect(refusal(search(), findJsonCheck)).toBe(
    `BW_RUNNER_NOT_FOUND: the library that checks JSON is missing; looked at package ` +
      `@backworks/runner-${platform}-x64 (not installed), then ${packageRoot}/build/Release/backworks-json-check.so` +
      ' — in a checkout run npm run build; else reinstall with optional dependencies',
  );
});
