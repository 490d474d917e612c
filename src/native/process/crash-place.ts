import { basename } from 'node:path';
import { PluginFailure } from '../../errors.js';
import { functionAt } from '../library/facts/functions.js';
import type { NativePluginOptions } from '../plugin.js';
import { oneLine } from '../../printable.js';

/** The runner reports at most this much of a module's file name. */
const MODULE_NAME_MAX = 63;
const FUNCTION_NAME_MAX = 256;
/** The search for the function of a crash may delay its report by this much. */
const SEARCH_MS = 250;

/** The file names of a library: that of the copy which processes load, and the operator's. */
export interface LibraryNames {
  readonly loaded: string;
  readonly shown: string;
}

export function libraryNames({
  libraryPath,
  libraryName,
}: Pick<NativePluginOptions, 'libraryPath' | 'libraryName'>): LibraryNames {
  const loaded = basename(libraryPath);
  return { loaded, shown: libraryName ?? loaded };
}

/**
 * Names a place such as "libweather.so+0x1139" by the operator's file name instead of the copy's, which is
 * a digest. Places in other libraries stay unchanged.
 */
export function shownPlace(at: string, { loaded, shown }: LibraryNames): string {
  const cut = at.lastIndexOf('+');
  const isLibrary = at.slice(0, cut) === loaded.slice(0, MODULE_NAME_MAX);
  return isLibrary ? shown + at.slice(cut) : at;
}

/**
 * Adds the function to a shown place.
 * @param path of the copy that was loaded
 * @returns "libweather.so+0x1139 (process_endpoint)"; `at` itself when the function is unknown or not
 *   found in time. Never rejects.
 * @internal exported for its test
 */
export async function placeWithFunction(at: string, path: string, shown: string): Promise<string> {
  const cut = at.lastIndexOf('+');
  const offset = Number(at.slice(cut + 1));
  if (at.slice(0, cut) !== shown || !Number.isSafeInteger(offset)) return at;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), SEARCH_MS);
  });
  const name = await Promise.race([functionAt(path, offset), late]);
  clearTimeout(timer);
  return name === null ? at : `${at} (${oneLine(name.slice(0, FUNCTION_NAME_MAX))})`;
}

/**
 * Adds the function that crashed to a failure, if the library's symbols name it.
 * @param loaded path of the copy that was loaded
 * @param original the operator's path
 * @returns `failure` itself when there is nothing to add; never rejects
 */
export async function withFunction(
  failure: PluginFailure,
  loaded: string,
  original: string,
): Promise<PluginFailure> {
  const { at, message, cause } = failure;
  if (at === undefined) return failure;
  const place = await placeWithFunction(at, loaded, basename(original));
  if (place === at) return failure;
  const text = message.replace(at, () => place);
  return new PluginFailure(failure.code, text, { ...failure, cause, at: place });
}
