import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, target, type SdkLanguage } from './language.js';

/** Flags that a plugin author may use. The headers of the SDKs must cause no warning with them. */
const strict = ['-Wall', '-Wextra', '-Wpedantic', '-Werror', '-g', `-I${join(root, 'native-sdk/include')}`];

/** The compiler, the standard of the language, and further flags. */
type Compiler = readonly [command: string, standard: string, ...flags: string[]];

function compile([command, standard, ...flags]: Compiler, source: string, name: string): string {
  const output = join(target, name);
  mkdirSync(target, { recursive: true });
  run(command, [`-std=${standard}`, ...strict, ...flags, '-o', output, source], join(root, 'test/fixtures'));
  return output;
}

/**
 * Compiles one source file below test/fixtures to a library, with one command.
 * @returns absolute path of the library @throws Error with the compiler's message
 */
export function compileLibrary(compiler: Compiler, source: string, name: string): string {
  return compile([...compiler, '-shared', '-fPIC'], source, name);
}

/** Compiles one source file below test/fixtures to a program, in the same way. */
export function compileProgram(compiler: Compiler, source: string, name: string): string {
  return compile([...compiler, '-pthread'], source, name);
}

export const cLanguage: SdkLanguage = {
  name: 'C',
  isolations: ['process', 'in-process'],
  checksConfig: true,
  unwinds: true,
  missing: null,
  place: /conformance\.c:\d+/,
  build: () => compileLibrary(['cc', 'c11', '-O2'], 'conformance/c/conformance.c', 'conformance-c.so'),
};

export const cppLanguage: SdkLanguage = {
  name: 'C++',
  isolations: ['process', 'in-process'],
  checksConfig: true,
  unwinds: true,
  missing: null,
  place: /conformance\.cpp:\d+/,
  build: () =>
    compileLibrary(['c++', 'c++17', '-O2'], 'conformance/cpp/conformance.cpp', 'conformance-cpp.so'),
};
