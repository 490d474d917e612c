import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sources = join(root, 'test/fixtures/conformance');
const target = join(root, 'build/conformance');

/** A language with an SDK, and how its conformance plugin is built with the language's own tool. */
export interface SdkLanguage {
  readonly name: string;
  /** Modes in which a plugin of this language runs. */
  readonly isolations: readonly ('process' | 'in-process')[];
  /** Whether the SDK makes config_schema from the configuration's type. */
  readonly checksConfig: boolean;
  /** Where the place of a panic or exception is reported, what it looks like. */
  readonly place: RegExp;
  /** @returns absolute path of the library @throws Error with the compiler's words */
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
 * @returns absolute path of the library @throws Error with the compiler's words
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
