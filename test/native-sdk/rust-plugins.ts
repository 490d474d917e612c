import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { run, sources, target, type SdkLanguage } from './language.js';

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

export const rust: SdkLanguage = {
  name: 'Rust',
  isolations: ['process', 'in-process'],
  checksConfig: true,
  unwinds: true,
  missing: null,
  place: /src\/lib\.rs:\d+/,
  build: () => buildRust('rust', 'conformance'),
};
