import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, 'build/fixtures/peers');
const FLAGS = ['-g', '-Wall', '-Wextra', '-Werror', '-fsanitize=address,undefined', '-fno-sanitize-recover'];

/**
 * Compiles test/fixtures/peers/`name`.cpp with files of examples/fix/src, and the sanitizers of addresses and of undefined
 * behaviour.
 * @param withJson the files use the JSON of the C++ SDK
 * @returns the path of the program
 */
export function compileSanitized(name: string, sources: readonly string[], withJson = false): string {
  mkdirSync(folder, { recursive: true });
  const program = join(folder, name);
  const json = withJson ? [join(folder, `${name}.json.o`)] : [];
  const run = (compiler: string, args: readonly string[]): void =>
    void execFileSync(compiler, args, { cwd: root, stdio: 'pipe' });
  for (const object of json)
    run('cc', ['-O1', '-c', '-o', object, 'native-sdk/include/backworks/yyjson/yyjson.c']);
  const files = [
    `test/fixtures/peers/${name}.cpp`,
    ...sources.map((source) => `examples/fix/src/${source}.cpp`),
  ];
  run('c++', ['-std=c++17', '-O1', ...FLAGS, '-Inative-sdk/include', '-o', program, ...files, ...json]);
  return program;
}

/** A piece of a stream as a line of the program's input. */
export const hex = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('hex');

export const fromHex = (text: string): string => Buffer.from(text, 'hex').toString('latin1');

/** The lines that a program writes. @throws Error with its stderr when a sanitizer ends it */
export function linesOf(program: string, args: readonly string[], input: readonly string[]): string[] {
  const output = execFileSync(program, args, {
    input: `${input.join('\n')}\n`,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: 'pipe',
  });
  return output.trimEnd().split('\n');
}
