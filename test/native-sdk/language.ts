import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
/** Where the sources of the conformance plugins are. */
export const sources = join(root, 'test/fixtures/conformance');
/** Where what the tests build is kept. */
export const target = join(root, 'build/conformance');

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

/** Runs a build tool. @returns its output @throws Error with the tool's words */
export function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): string {
  try {
    return execFileSync(command, args, { cwd, stdio: 'pipe', env: { ...process.env, ...env } }).toString();
  } catch (error) {
    const { stdout, stderr, message } = error as { stdout?: Buffer; stderr?: Buffer; message: string };
    const words = `${stdout?.toString() ?? ''}${stderr?.toString() ?? ''}` || message;
    throw new Error(`${command} ${args.join(' ')}: ${words}`, { cause: error });
  }
}
