import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, normalize, resolve } from 'node:path';
import type { LibraryFacts } from './facts/index.js';
import { libraryFacts } from './library-facts.js';
import { realPath } from '../../path-places.js';
import type { Dependencies, Dependency } from '../plugin.js';
import { LibraryDigests } from './library-digests.js';

const NO_DEPENDENCIES: Dependencies = { files: [], directories: [], digest: '' };

/** More files than any plugin needs. The rest is not compared. */
const FILES_MAX = 512;
/** Only the administrator writes below these directories. */
const SYSTEM = /^\/(?:usr\/)?lib(?:32|64|x32)?(?:\/|$)/;
const ORIGIN = /\$ORIGIN|\$\{ORIGIN\}|@loader_path/g;
/** Subdirectories whose libraries the loader prefers when the processor can run them; in any order and depth. */
export const VARIANTS: ReadonlySet<string> = new Set([
  'glibc-hwcaps',
  'tls',
  'haswell',
  'avx512_1',
  'xeon_phi',
  'x86_64',
  'aarch64',
]);
const VARIANT_DEPTH_MAX = 3;

/** Shared, so that each start of a process only compares the states of files. */
const digests = new LibraryDigests();

/**
 * Finds the libraries that the loader maps together with a library: the needed ones, those that they need, and so
 * on. Every place where a needed library could lie is listed, so that the loader's order of search is not imitated.
 * Libraries of the system are left out.
 */
export async function findDependencies(path: string, facts: LibraryFacts): Promise<Dependencies> {
  const files = new Map<string, string | null>();
  const directories = new Set<string>();
  const queue = [{ path, facts, inherited: [] as readonly string[] }];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    // A run path of the older kind (DT_RPATH) also counts for the libraries that the needed ones need.
    const searched = [...new Set([...searchedBy(next.path, next.facts), ...next.inherited])];
    for (const directory of searched) directories.add(directory);
    for (const place of await placesOf(next.path, next.facts.needed, searched)) {
      if (files.has(place) || files.size >= FILES_MAX) continue;
      const digest = await digests.readNeeded(place);
      files.set(place, digest);
      const found = digest === null ? null : await libraryFacts(place).catch(() => null);
      if (found !== null) queue.push({ path: place, facts: found, inherited: searched });
    }
  }
  if (files.size === 0) return NO_DEPENDENCIES;
  const listed = [...files].map(([file, digest]): Dependency => ({ path: file, digest }));
  const digest = createHash('sha256').update(JSON.stringify(listed)).digest('hex');
  return { files: listed, directories: [...directories], digest };
}

/** The same for a file that may be no library. */
export async function dependenciesOf(path: string): Promise<Dependencies> {
  const facts = await libraryFacts(path).catch(() => null);
  return facts === null ? NO_DEPENDENCIES : findDependencies(path, facts);
}

/** The first dependency that is not what it was, or null. */
export async function changedDependency({ files }: Dependencies): Promise<Dependency | null> {
  const found = await Promise.all(files.map(async ({ path }) => digests.readNeeded(path)));
  return files.find(({ digest }, index) => found[index] !== digest) ?? null;
}

/** The directories of a library's run path outside of the system's. */
function searchedBy(path: string, { runpath }: LibraryFacts): string[] {
  return runpath
    .flatMap((entry) => expanded(entry, path))
    .filter((directory) => isAbsolute(directory) && !SYSTEM.test(`${directory}/`));
}

/** Where the needed libraries may lie. */
async function placesOf(
  path: string,
  needed: readonly string[],
  directories: readonly string[],
): Promise<string[]> {
  const searched = await Promise.all(directories.map(async (at) => [at, ...(await variantsIn(at))]));
  return needed
    .flatMap((name) =>
      name.includes('/')
        ? // Relative names are relative to the working directory of the process.
          expanded(name, path).map((place) => resolve(place))
        : searched.flat().map((directory) => join(directory, name)),
    )
    .filter((place) => !SYSTEM.test(place));
}

async function variantsIn(directory: string, depth = VARIANT_DEPTH_MAX): Promise<string[]> {
  if (depth === 0) return [];
  const names = await readdir(directory).catch(() => []);
  const isList = basename(directory) === 'glibc-hwcaps';
  const found = names.filter((name) => isList || VARIANTS.has(name)).map((name) => join(directory, name));
  const below = await Promise.all(found.map((path) => variantsIn(path, depth - 1)));
  return [...found, ...below.flat()];
}

/** An entry of a library's run path, or a needed library, with the directory of the library put in. */
function expanded(entry: string, path: string): string[] {
  if (entry.search(ORIGIN) < 0) return [normalize(entry)];
  return [...new Set([dirname(path), dirname(realPath(path))])].map((origin) =>
    normalize(entry.replace(ORIGIN, () => origin)),
  );
}
