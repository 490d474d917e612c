import { createHash, randomUUID } from 'node:crypto';
import { constants, existsSync, realpathSync } from 'node:fs';
import { chmod, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, extname, join, normalize } from 'node:path';
import { BackworksError } from '../../errors.js';
import { Semaphore } from '../../semaphore.js';
import { DIRECTORY_MODE, LIBRARY_MODE, openCacheDirectory } from '../cache-directory.js';
import type { Dependencies } from '../plugin.js';
import { findDependencies } from './dependencies.js';
import { fileState, isSettled } from './file-state.js';
import { digestOf } from './library-digest.js';
import { type LibraryHold, LibraryHolds } from './library-holds.js';
import type { LibraryFacts } from './facts/index.js';
import { libraryFacts } from './library-facts.js';
import { SharedWork } from './shared-work.js';

/** Files that are read and written at the same time. */
const COPIES_AT_ONCE = 4;

/** A library ready to be loaded. */
export interface StoredLibrary {
  /** SHA-256 of its bytes, in hexadecimal. */
  readonly digest: string;
  /** The file to load. */
  readonly path: string;
  /** The library finds other libraries relative to its directory, so `path` is the original, not a copy. */
  readonly inPlace: boolean;
  /** Directories in which the loader looks for other libraries because of that; none for a copy. */
  readonly directories: readonly string[];
  /** The libraries that the loader maps with it. */
  readonly dependencies: Dependencies;
}

type StoredFile = Omit<StoredLibrary, 'dependencies'>;

/**
 * Copies of libraries, named by their content. A loaded library stays the same when the original is
 * rebuilt, and a truncated or half-written original never reaches a running plugin.
 */
export interface LibraryStore {
  readonly directory: string;
  /** @throws BackworksError BW_LIBRARY_* when the file is no library or cannot be copied */
  add(path: string): Promise<StoredLibrary>;
  /**
   * Makes a separate file for one plugin, because a loader that opens a file twice shares its variables.
   * @param instance names the plugin; the same name gets the same file
   * @returns path of the copy; `library.path` when the library must be used in place
   */
  privateCopy(library: StoredLibrary, instance: string): Promise<string>;
  /** The copy with that digest, or null when it is missing or damaged. */
  find(digest: string): Promise<StoredLibrary | null>;
  /** Keeps a copy from being removed until the hold is released. @throws BackworksError BW_LIBRARY_STORE */
  hold(library: StoredLibrary): Promise<LibraryHold>;
  /** Removes the copies that `isUseless` and nobody holds. Never rejects. */
  prune(isUseless: (copy: StoredCopy) => boolean): Promise<void>;
}

export interface StoredCopy {
  readonly digest: string;
  /** When the copy was made. */
  readonly modifiedMs: number;
}

/**
 * @param directory default: see openCacheDirectory
 * @throws BackworksError BW_LIBRARY_STORE
 */
export async function openLibraryStore(directory?: string): Promise<LibraryStore> {
  const cache = await openCacheDirectory(directory);
  const folder = join(cache, 'libraries');
  await asStoreError(folder, async () => {
    await mkdir(folder, { recursive: true });
    // Not left to mkdir, because the process's umask would change the mode.
    await chmod(folder, DIRECTORY_MODE);
  });
  let opened: Promise<LibraryHolds> | null = null;
  const openHolds = (): Promise<LibraryHolds> => (opened ??= LibraryHolds.open(join(cache, 'holds')));
  const copying = new Semaphore(COPIES_AT_ONCE);
  const adding = new SharedWork<StoredLibrary>();
  return {
    directory: folder,
    async add(path) {
      const facts = await libraryFacts(path);
      const work = (): Promise<StoredLibrary> =>
        copying.run(async () => {
          const dependencies = await findDependencies(path, facts);
          const file = await (isPlaceBound(facts) ? useInPlace(path, facts) : copyInto(folder, path));
          return { ...file, dependencies };
        });
      return asStoreError(path, async () => {
        // Several plugins may use the same library.
        const file = await stat(path, { bigint: true });
        return adding.do(isSettled(file) ? `${path}:${fileState(file)}` : null, work);
      });
    },
    async privateCopy(library, instance) {
      if (library.inPlace) return library.path;
      return asStoreError(library.path, () => copyFor(folder, library, instance));
    },
    find: (digest) => findCopy(folder, digest),
    hold: async ({ digest, path }) => asStoreError(path, async () => (await openHolds()).add(digest)),
    prune: (isUseless) => prune(folder, openHolds, isUseless).catch(() => undefined),
  };
}

/** Whether the loader looks for needed libraries relative to this library's directory. */
function isPlaceBound({ runpath, needed }: LibraryFacts): boolean {
  return [...runpath, ...needed].some((path) => /\$ORIGIN|\$\{ORIGIN\}|@loader_path|@rpath/.test(path));
}

/** The library's own directory, and the run path directories relative to it. */
function directoriesOf(path: string, { runpath }: LibraryFacts): string[] {
  const origin = dirname(realpathSync(path));
  const named = runpath
    .flatMap((entry) => entry.split(':'))
    .filter((entry) => /\$ORIGIN|\$\{ORIGIN\}|@loader_path/.test(entry))
    .map((entry) => normalize(entry.replace(/\$ORIGIN|\$\{ORIGIN\}|@loader_path/g, origin)));
  return [...new Set([dirname(path), origin, ...named])].filter((directory) => existsSync(directory));
}

async function useInPlace(path: string, facts: LibraryFacts): Promise<StoredFile> {
  const file = await open(path);
  try {
    return { digest: await digestOf(file), path, inPlace: true, directories: directoriesOf(path, facts) };
  } finally {
    await file.close();
  }
}

async function copyInto(folder: string, path: string): Promise<StoredFile> {
  const stored = await storedAlready(folder, path);
  if (stored !== null) return stored;
  const draft = join(folder, `.${randomUUID()}`);
  try {
    const { digest, size } = await copy(path, draft);
    const target = join(folder, digest + extensionOf(path));
    if (!(await holds(target, digest, size))) await rename(draft, target);
    return { digest, path: target, inPlace: false, directories: [] };
  } finally {
    await rm(draft, { force: true });
  }
}

async function storedAlready(folder: string, path: string): Promise<StoredFile | null> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const digest = await digestOf(file);
    const target = join(folder, digest + extensionOf(path));
    const exists = await holds(target, digest, (await file.stat()).size);
    return exists ? { digest, path: target, inPlace: false, directories: [] } : null;
  } finally {
    await file.close();
  }
}

async function copyFor(folder: string, library: StoredLibrary, instance: string): Promise<string> {
  // The name may contain any character, so the file name uses its hash.
  const suffix = createHash('sha256').update(instance).digest('hex').slice(0, 16);
  const target = join(folder, `${library.digest}.${suffix}${extensionOf(library.path)}`);
  const draft = join(folder, `.${randomUUID()}`);
  try {
    const { digest, size } = await copy(library.path, draft);
    if (digest !== library.digest) throw new Error('the stored copy was changed');
    if (!(await holds(target, digest, size))) await rename(draft, target);
    return target;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Copies and private copies, by file name. */
const COPY_NAME = /^([0-9a-f]{64})(\.[0-9a-f]{16})?\.[A-Za-z0-9]{1,8}$/;

async function findCopy(folder: string, digest: string): Promise<StoredLibrary | null> {
  const names = await readdir(folder).catch(() => []);
  const name = names.find((candidate) => {
    const [, found, instance] = COPY_NAME.exec(candidate) ?? [];
    return found === digest && instance === undefined;
  });
  if (name === undefined) return null;
  const path = join(folder, name);
  const size = await sizeOf(path);
  if (!(await holds(path, digest, size))) return null;
  const dependencies = await findDependencies(path, await libraryFacts(path));
  return { digest, path, inPlace: false, directories: [], dependencies };
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => -1,
  );
}

async function prune(
  folder: string,
  openHolds: () => Promise<LibraryHolds>,
  isUseless: (copy: StoredCopy) => boolean,
): Promise<void> {
  const useless: { name: string; digest: string }[] = [];
  for (const name of await readdir(folder)) {
    const digest = COPY_NAME.exec(name)?.[1];
    if (digest === undefined) continue;
    const file = await stat(join(folder, name)).catch(() => null);
    if (file !== null && isUseless({ digest, modifiedMs: file.mtimeMs })) useless.push({ name, digest });
  }
  // Read last: a server holds a copy before it checks that the copy exists, so a new hold is seen here.
  const held = useless.length === 0 ? new Set<string>() : await (await openHolds()).digests();
  const unused = useless.filter(({ digest }) => !held.has(digest));
  await Promise.all(unused.map(({ name }) => rm(join(folder, name), { force: true })));
}

/** Copies a file. The digest is of the bytes written, even if the original changes meanwhile. */
async function copy(from: string, to: string): Promise<{ digest: string; size: number }> {
  const source = await open(from, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const target = await open(to, 'wx', 0o600);
    try {
      const digest = await digestOf(source, async (bytes) => void (await target.writeFile(bytes)));
      await target.chmod(LIBRARY_MODE);
      return { digest, size: (await target.stat()).size };
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** Whether a file exists with these bytes. The size is compared first, because that is cheap. */
async function holds(path: string, digest: string, size: number): Promise<boolean> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => null);
  if (file === null) return false;
  try {
    return (await file.stat()).size === size && (await digestOf(file)) === digest;
  } finally {
    await file.close();
  }
}

/** Windows does not load a file without an extension. */
function extensionOf(path: string): string {
  const extension = extname(path);
  return /^\.[A-Za-z0-9]{1,8}$/.test(extension) ? extension : '.so';
}

async function asStoreError<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BackworksError('BW_LIBRARY_STORE', `${path} cannot be copied to the library store: ${why}`, {
      hint: 'check free space and permissions of the cache directory',
      cause,
    });
  }
}
