import { readdir } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { BackworksError } from '../../errors.js';

/** How a plugin's directory is built. */
export type ProjectKind = 'make' | 'cmake' | 'cargo' | 'go' | 'zig' | 'c' | 'c++';

/** A directory with the sources of a plugin. */
export interface Project {
  readonly kind: ProjectKind;
  /** Absolute. */
  readonly directory: string;
  /** The only source file of a `c` or `c++` project; else the build file. A name in the directory. */
  readonly file: string;
}

/** Build files, the most specific first: a Makefile often only calls another tool. */
const BUILD_FILES: readonly (readonly [file: string, kind: ProjectKind])[] = [
  ['Cargo.toml', 'cargo'],
  ['go.mod', 'go'],
  ['build.zig', 'zig'],
  ['CMakeLists.txt', 'cmake'],
  ['GNUmakefile', 'make'],
  ['makefile', 'make'],
  ['Makefile', 'make'],
];
const SOURCES: Readonly<Record<string, ProjectKind>> = { '.c': 'c', '.cpp': 'c++', '.cc': 'c++', '.cxx': 'c++' };

/** @throws BackworksError BW_BUILD_FAILED when nothing in the directory can be built */
export async function findProject(directory: string): Promise<Project> {
  const at = resolve(directory);
  const names = await list(at);
  for (const [file, kind] of BUILD_FILES) if (names.includes(file)) return { kind, directory: at, file };
  const sources = names.filter((name) => SOURCES[extname(name)] !== undefined);
  const [file] = sources;
  if (file !== undefined && sources.length === 1)
    return { kind: SOURCES[extname(file)] ?? 'c', directory: at, file };
  const what = sources.length === 0 ? 'no build file and no C or C++ file' : `${sources.length} sources and no build file`;
  throw new BackworksError('BW_BUILD_FAILED', `${at} has ${what}`, {
    hint: `it needs one of ${[...new Set(BUILD_FILES.map(([name]) => name))].join(', ')}, or a single .c or .cpp file`,
  });
}

async function list(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    throw new BackworksError('BW_BUILD_FAILED', `${directory} cannot be read (${code})`, {
      hint: 'give the directory with the sources of the plugin',
      cause,
    });
  }
}

/** A name for the library of a project whose build file does not name it. */
export function stemOf({ kind, file, directory }: Project): string {
  const name = kind === 'c' || kind === 'c++' ? basename(file, extname(file)) : basename(directory);
  return name.replace(/^lib(?=.)/, '').replace(/[^\w.-]/g, '_') || 'plugin';
}
