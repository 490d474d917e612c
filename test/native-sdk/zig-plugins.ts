import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, sources, target, type SdkLanguage } from './language.js';

const compiler = join(root, 'build/zig/ziglang/zig');
/** The package of the SDK. */
export const zigPackage = join(root, 'native-sdk/zig');

/** Why nothing of Zig can be tested, or null. */
export const zigIsMissing = existsSync(compiler)
  ? null
  : 'zig is not in build/zig; scripts/install-zig.mjs installs it with pip';

/** Runs zig with caches in the build directory. @returns its output @throws Error with the compiler's message */
export function zig(args: readonly string[], directory: string): string {
  const caches = join(target, 'zig/cache');
  mkdirSync(caches, { recursive: true });
  return run(compiler, args, directory, { ZIG_LOCAL_CACHE_DIR: caches, ZIG_GLOBAL_CACHE_DIR: caches });
}

function build(): string {
  const library = join(target, 'zig/libconformance.so');
  const modules = [
    '--dep',
    'backworks',
    '-Mroot=plugin.zig',
    `-Mbackworks=${join(zigPackage, 'backworks.zig')}`,
  ];
  const options = ['-dynamic', '-lc', '-O', 'ReleaseSafe', `-femit-bin=${library}`];
  zig(['build-lib', ...options, ...modules], join(sources, 'zig'));
  return library;
}

export const zigLanguage: SdkLanguage = {
  name: 'Zig',
  isolations: ['process', 'in-process'],
  checksConfig: true,
  unwinds: false,
  missing: zigIsMissing,
  place: /panic at 0x[0-9a-f]+/,
  build,
};
