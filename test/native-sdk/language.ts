import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
/** Where the sources of the conformance plugins are. */
export const sources = join(root, 'test/fixtures/conformance');
/** Where what the tests build is kept. */
export const target = join(root, 'build/conformance');

/** A language with an SDK, and how its conformance plugin is built with the language's own build tool. */
export interface SdkLanguage {
  readonly name: string;
  /** Isolation modes that plugins in this language support. */
  readonly isolations: readonly ('process' | 'in-process')[];
  /** True if the SDK generates config_schema from the type of the configuration. */
  readonly checksConfig: boolean;
  /** False if a panic ends the process, because the language cannot unwind. */
  readonly unwinds: boolean;
  /** Why the language cannot be tested here, or null. */
  readonly missing: string | null;
  /** Pattern of the source location in the message of a panic or exception. */
  readonly place: RegExp;
  /** @returns absolute path of the library @throws Error with the compiler's message */
  build(): string;
}

/** Runs a build tool. @returns its output @throws Error with the tool's message */
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
    const output = `${stdout?.toString() ?? ''}${stderr?.toString() ?? ''}` || message;
    throw new Error(`${command} ${args.join(' ')}: ${output}`, { cause: error });
  }
}
