import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, sources, target, type SdkLanguage } from './language.js';

/** Flags that a plugin author may use. The headers of the SDKs must cause no warning with them. */
const strict = ['-Wall', '-Wextra', '-Wpedantic', '-Werror', '-O2', '-g', '-shared', '-fPIC'];

/**
 * Compiles one source file to a library with one command.
 * @param compiler and the language's standard, such as ['cc', 'c11']
 * @returns absolute path of the library @throws Error with the compiler's message
 */
export function compileWith(
  [command, standard]: readonly [string, string],
  source: string,
  library: string,
): string {
  const output = join(target, library);
  mkdirSync(target, { recursive: true });
  const include = `-I${join(root, 'native-sdk/include')}`;
  run(command, [`-std=${standard}`, ...strict, include, '-o', output, source], sources);
  return output;
}

export const cLanguage: SdkLanguage = {
  name: 'C',
  isolations: ['process', 'in-process'],
  checksConfig: true,
  unwinds: true,
  missing: null,
  place: /conformance\.c:\d+/,
  build: () => compileWith(['cc', 'c11'], 'c/conformance.c', 'conformance-c.so'),
};
