import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { BackworksError } from '../errors.js';
import { digestOf } from '../native/library/library-digest.js';
import { LibraryDigests } from '../native/library/library-digests.js';
import { type DiscoveredLibrary, discoverPlugins } from '../plugins/discovery.js';
import type { LibraryReader } from '../plugins/library-reader.js';
import type { PluginMetadata } from '../plugins/metadata.js';

export interface InstallWish {
  /** Path of the library. */
  readonly library: string;
  /** The directory of plugins; it is made if it does not exist. */
  readonly directory: string;
  /** Replace another file, or another version of the plugin. */
  readonly force: boolean;
  /** Stops the installation. Nothing is left over then. */
  readonly signal: AbortSignal;
}

export interface Installation {
  readonly metadata: PluginMetadata;
  /** Where the library is now. */
  readonly path: string;
  /** SHA-256 of the library, in hexadecimal. */
  readonly digest: string;
  /** The same library was there already. */
  readonly unchanged: boolean;
  /** The plugin that was replaced; null when there was none, or when its file was no plugin. */
  readonly replaced: PluginMetadata | null;
}

/**
 * Describes a library in its sandbox, and copies it to a directory of plugins. The copy gets its name at the end, and
 * is described too, so a server never finds a file that is incomplete or does not load.
 * @throws BackworksError BW_PLUGIN_INSTALL when another plugin or version is in the way or the directory cannot be
 *   written; the reason the library is not a usable plugin; the reason of the signal
 */
export async function installLibrary(wish: InstallWish, reader: LibraryReader): Promise<Installation> {
  const { library, directory, signal } = wish;
  const metadata = await reader.read(library);
  signal.throwIfAborted();
  await asInstallError(directory, mkdir(directory, { recursive: true }));
  const present = await discoverPlugins([directory], reader);
  const place = await placeFor(wish, metadata, present.found);
  const draft = join(directory, `.${basename(library)}.${randomUUID()}.draft`);
  try {
    const digest = await asInstallError(directory, copy(library, draft));
    signal.throwIfAborted();
    const installed = { metadata, path: place.path, digest, replaced: place.replaced };
    if (digest === place.digest) return { ...installed, unchanged: true };
    if (place.refusal !== null) throw place.refusal;
    // Libraries that this one needs may not be beside the copy.
    await reader.read(draft);
    signal.throwIfAborted();
    await asInstallError(directory, rename(draft, place.path));
    return { ...installed, unchanged: false };
  } finally {
    await rm(draft, { force: true });
  }
}

/** Where the library goes, and what is there. */
interface Place {
  readonly path: string;
  readonly replaced: PluginMetadata | null;
  /** Digest of the file that is there; null for none. */
  readonly digest: string | null;
  /** Why it must not be replaced; null when it may. */
  readonly refusal: BackworksError | null;
}

/** A plugin of the same name keeps its file, because two files with one name stop a server from starting. */
async function placeFor(
  { library, directory, force }: InstallWish,
  { name, version }: PluginMetadata,
  present: readonly DiscoveredLibrary[],
): Promise<Place> {
  const wanted = join(directory, basename(library));
  const same = present.find(({ metadata }) => metadata.name === name);
  const path = same?.path ?? wanted;
  const replaced = same ?? present.find((other) => other.path === path);
  const exists = (await stat(path).catch(() => null)) !== null;
  const digest = exists ? await new LibraryDigests().read(path) : null;
  const what =
    replaced === undefined ? 'no plugin' : `${replaced.metadata.name} ${replaced.metadata.version}`;
  const refusal =
    exists && !force
      ? new BackworksError('BW_PLUGIN_INSTALL', `${path} is ${what}; ${name} ${version} would replace it`, {
          hint: 'give --force to replace the file, or --to for another directory',
        })
      : null;
  return { path, digest, refusal, replaced: replaced?.metadata ?? null };
}

/** @returns SHA-256 of the bytes that were copied */
async function copy(from: string, to: string): Promise<string> {
  const source = await open(from, constants.O_RDONLY | constants.O_NONBLOCK);
  let target: FileHandle | null = null;
  try {
    const { mode } = await source.stat();
    const created = await open(to, 'wx', mode & 0o777);
    target = created;
    const digest = await digestOf(source, async (bytes) => void (await created.write(bytes)));
    await created.sync();
    return digest;
  } finally {
    await source.close();
    await target?.close();
  }
}

async function asInstallError<T>(directory: string, step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    const message = `the library cannot be copied to ${directory} (${code})`;
    throw new BackworksError('BW_PLUGIN_INSTALL', message, { hint: 'check its permissions', cause });
  }
}
