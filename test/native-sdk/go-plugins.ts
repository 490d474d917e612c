import { join } from 'node:path';
import { root, run, sources, target, type SdkLanguage } from './language.js';

/** The module of the SDK. */
export const goModule = join(root, 'native-sdk/go');

/** Runs the go command without network, workspace or version control. @returns its output */
export function go(args: readonly string[], directory: string): string {
  return run('go', args, directory, { GOFLAGS: '-buildvcs=false', GOPROXY: 'off', GOWORK: 'off' });
}

/**
 * Builds the module in `directory`.
 * @returns absolute path of the library @throws Error with the compiler's message
 */
export function buildGo(directory: string, name: string): string {
  const library = join(target, 'go', `lib${name}.so`);
  go(['build', '-buildmode=c-shared', '-o', library], directory);
  return library;
}

export const goLanguage: SdkLanguage = {
  name: 'Go',
  isolations: ['process', 'in-process'],
  checksConfig: true,
  unwinds: true,
  missing: null,
  place: /go\/plugin\.go:\d+/,
  build: () => buildGo(join(sources, 'go'), 'conformance'),
};
