import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sources = join(root, 'test/fixtures/conformance');
const target = join(root, 'build/conformance');

/** A language with an SDK, and how its conformance plugin is built with the language's own build tool. */
export interface SdkLanguage {
  readonly name: string;
  /** Isolation modes that plugins in this language support. */
  readonly isolations: readonly ('process' | 'in-process')[];
  /** True if the SDK generates config_schema from the type of the configuration. */
  readonly checksConfig: boolean;
  /** Pattern of the source location in the message of a panic or exception. */
  readonly place: RegExp;
  /** @returns absolute path of the library @throws Error with the compiler's message */
  build(): string;
}

function run(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): void {
  try {
    execFileSync(command, args, { cwd, stdio: 'pipe', env: { ...process.env, ...env } });
  } catch (error) {
    const { stderr, message } = error as { stderr?: Buffer; message: string };
    throw new Error(`${command} ${args.join(' ')}: ${stderr?.toString() || message}`, { cause: error });
  }
}

/**
 * Builds the crate in test/fixtures/conformance/`folder`, whose library is named `name`.
 * @returns absolute path of the library @throws Error with the compiler's message
 */
export function buildRust(folder: string, name: string): string {
  const directory = join(target, 'rust');
  mkdirSync(directory, { recursive: true });
  run('cargo', ['build', '--release', '--quiet'], join(sources, folder), { CARGO_TARGET_DIR: directory });
  return join(directory, `release/lib${name}.so`);
}

const rust: SdkLanguage = {
  name: 'Rust',
  isolations: ['process', 'in-process'],
  checksConfig: true,
  place: /src\/lib\.rs:\d+/,
  build: () => buildRust('rust', 'conformance'),
};

/** What a plugin's author may ask of the compiler; the headers of the SDKs have no warning under it. */
const strict = ['-Wall', '-Wextra', '-Wpedantic', '-Werror', '-O2', '-g', '-shared', '-fPIC'];

/**
 * Compiles `source` with one command of a C or C++ compiler.
 * @returns absolute path of the library @throws Error with the compiler's message
 */
export function compileWith(compiler: string, standard: string, source: string, library: string): string {
  const output = join(target, library);
  mkdirSync(target, { recursive: true });
  const include = `-I${join(root, 'native-sdk/include')}`;
  run(compiler, [`-std=${standard}`, ...strict, include, '-o', output, source], sources);
  return output;
}

const c: SdkLanguage = {
  name: 'C',
  isolations: ['process', 'in-process'],
  checksConfig: true,
  place: /conformance\.c:\d+/,
  build: () => compileWith('cc', 'c11', 'c/conformance.c', 'conformance-c.so'),
};

export const SDK_LANGUAGES: readonly SdkLanguage[] = [c, rust];
