import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { findConfigFile, loadConfig, parseConfig } from '../../../dist/config/load/load.js';
import { rejection } from '../load/rejection.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'backworks-config-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe('the configuration file', () => {
  test('is found under either name', async () => {
    await expect(findConfigFile(directory)).rejects.toMatchObject({
      code: 'BW_CONFIG_NOT_FOUND',
      message: `neither ${join(directory, 'backworks.yaml')} nor ${join(directory, 'backworks.yml')} exists`,
    });
    await writeFile(join(directory, 'backworks.yml'), '{}');
    await expect(findConfigFile(directory)).resolves.toBe(join(directory, 'backworks.yml'));
    await writeFile(join(directory, 'backworks.yaml'), '{}');
    await expect(findConfigFile(directory)).resolves.toBe(join(directory, 'backworks.yaml'));
  });

  test('must exist', async () => {
    const missing = join(directory, 'other.yaml');
    await expect(loadConfig(missing)).rejects.toMatchObject({
      code: 'BW_CONFIG_NOT_FOUND',
      message: `${missing} does not exist`,
    });
  });

  test('must be a file', async () => {
    await mkdir(join(directory, 'backworks.yaml'));
    await expect(loadConfig(join(directory, 'backworks.yaml'))).rejects.toMatchObject({
      code: 'BW_CONFIG_NOT_FOUND',
      message: expect.stringContaining('cannot be read (EISDIR'),
    });
  });

  test('has at most 1 MiB', async () => {
    const file = join(directory, 'backworks.yaml');
    const text = (bytes: number) => `name: a\n#${'é'.repeat((bytes - 10) / 2)}\n`;
    await writeFile(file, text(1024 ** 2));
    expect((await loadConfig(file)).config.name).toBe('a');
    await writeFile(file, text(1024 ** 2 + 2));
    await expect(loadConfig(file)).rejects.toMatchObject({
      code: 'BW_CONFIG_SYNTAX',
      message: `${file}:1:1: the file is longer than 1048576 bytes`,
    });
  });

  test.each(['[', '{a: ', '- ', '? ', '- ? ', '&a [', '!!seq [', '- - a: '])(
    'is rejected when %j nests too deeply',
    (piece) => {
      for (const count of [200, 5000, 100_000]) {
        const error = rejection(piece.repeat(count));
        expect(error.problems).toMatchObject([{ line: 1, message: 'nested more than 64 deep' }]);
      }
    },
  );

  test('may have 64 nested levels', () => {
    const text = (depth: number) =>
      `plugins: { a: { path: x, config: { v: ${'['.repeat(depth)}1${']'.repeat(depth)} } } }`;
    expect(parseConfig(text(59), { directory, env: {} }).config.plugins).toHaveLength(1);
    expect(rejection(text(60)).problems.map((problem) => problem.message)).toEqual([
      'nested more than 64 deep',
    ]);
  });

  test('may have 64 levels of indentation', () => {
    const lines = (depth: number) => Array.from({ length: depth }, (_, i) => `${' '.repeat(i)}a:`).join('\n');
    expect(rejection(lines(1000)).problems).toMatchObject([{ message: 'nested more than 64 deep' }]);
    expect(rejection(lines(60)).problems).toMatchObject([{ message: 'unknown key "a"' }]);
  });

  test('is rejected when aliases make it too large', () => {
    const levels = Array.from(
      { length: 12 },
      (_, i) => `  l${i + 1}: &l${i + 1} [${Array(10).fill(`*l${i}`).join(', ')}]`,
    );
    const error = rejection(
      `plugins: { a: { path: x, config: {\n l0: &l0 [x],\n ${levels.join(',\n ')}\n } } }\n`,
    );
    expect(error.problems.map((problem) => problem.message)).toEqual(['more than 100000 values']);
  });

  test('is named relative to the working directory if it is inside', () => {
    const file = join(process.cwd(), 'conf', 'backworks.yaml');
    const load = () => parseConfig('nmae: a', { file, directory, env: {} });
    expect(load).toThrow('conf/backworks.yaml:1:1: nmae: unknown key "nmae" — did you mean "name"?');
  });
});
