import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BackworksError } from '../../errors.js';
import { type LibraryFacts, readLibraryFacts } from '../../native/library/facts/index.js';
import { type BuildTarget, mismatch } from './target.js';

/** A plugin that a build made. */
export interface BuiltLibrary {
  /** Absolute. */
  readonly path: string;
  readonly facts: LibraryFacts;
}

const LIBRARY = /\.(?:so|dylib|dll)$/;
/** Directories without the result of a build. */
const SKIPPED: ReadonlySet<string> = new Set(['node_modules', 'CMakeFiles', 'deps', 'incremental']);
const DEPTH_MAX = 6;
const FILES_MAX = 1000;

interface Candidate {
  readonly path: string;
  readonly modifiedMs: number;
}

/**
 * The plugins among the libraries below a directory: those that were written since the build began, or all when the build
 * was up to date.
 * @param sinceMs time in milliseconds since 1970
 * @throws BackworksError BW_BUILD_FAILED when there is no plugin for the target
 */
export async function findLibraries(
  directory: string,
  sinceMs: number,
  target: BuildTarget | null,
): Promise<BuiltLibrary[]> {
  const found = (await candidates(directory, 0)).slice(0, FILES_MAX);
  const fresh = found.filter(({ modifiedMs }) => modifiedMs >= sinceMs);
  const paths = (fresh.length > 0 ? fresh : found).map(({ path }) => path);
  return checkLibraries(directory, paths, target);
}

/**
 * Reads the libraries that a tool reported, and checks that they are plugins for the target.
 * @param directory names the build in errors
 * @throws BackworksError BW_BUILD_FAILED when none is
 */
export async function checkLibraries(
  directory: string,
  paths: readonly string[],
  target: BuildTarget | null,
): Promise<BuiltLibrary[]> {
  const problems: string[] = [];
  const libraries: BuiltLibrary[] = [];
  for (const path of paths) {
    try {
      const facts = await readLibraryFacts(path);
      const problem = problemOf(facts, target);
      if (problem === null) libraries.push({ path, facts });
      else problems.push(`${path}: ${problem}`);
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  if (libraries.length > 0) return libraries;
  const what = problems.length === 0 ? 'no library was made' : problems.join('; ');
  throw new BackworksError('BW_BUILD_FAILED', `the build of ${directory} ended without a plugin: ${what}`, {
    hint: 'the build has to make a shared library (.so, .dylib or .dll) that exports plugin_info and plugin_vtable',
  });
}

function problemOf(facts: LibraryFacts, target: BuildTarget | null): string | null {
  if (facts.kind !== 'shared-library') return `it is not a shared library (${facts.kind})`;
  const missing = ['plugin_info', 'plugin_vtable'].filter((name) => !facts.exports.has(name));
  if (missing.length > 0) return `it does not export ${missing.join(' and ')}`;
  const here = target ?? hostTarget();
  return here === null ? null : mismatch(here, facts);
}

/** This machine as a target, so that libraries of earlier cross-builds are passed over; null when it has no name. */
function hostTarget(): BuildTarget | null {
  const cpu = { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string] as BuildTarget['cpu'] | undefined;
  const system = { linux: 'linux', darwin: 'macos', win32: 'windows' }[process.platform as string] as
    | BuildTarget['system']
    | undefined;
  if (cpu === undefined || system === undefined) return null;
  return { name: 'native', cpu, system, libc: null, glibcMax: null };
}

async function candidates(directory: string, depth: number): Promise<Candidate[]> {
  if (depth > DEPTH_MAX) return [];
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const found = await Promise.all(
    entries.map(async (entry) => {
      const path = join(directory, entry.name);
      if (entry.isDirectory())
        return entry.name.startsWith('.') || SKIPPED.has(entry.name) ? [] : candidates(path, depth + 1);
      if (!entry.isFile() || !LIBRARY.test(entry.name)) return [];
      const stats = await stat(path).catch(() => null);
      return stats === null ? [] : [{ path, modifiedMs: stats.mtimeMs }];
    }),
  );
  return found.flat();
}
