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

export const SDK_LANGUAGES: readonly SdkLanguage[] = [rust];
