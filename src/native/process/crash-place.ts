import { basename } from 'node:path';
import { PluginFailure } from '../../errors.js';
import { functionAt } from '../library/facts/functions.js';
import type { NativePluginOptions } from '../plugin.js';
import { oneLine } from '../../printable.js';

/** The runner keeps this much of a module's file name. */
const MODULE_NAME_MAX = 63;
const FUNCTION_NAME_MAX = 256;
/** A crash is not reported later than this because its function is looked for. */
const SEARCH_MS = 250;

/** A library under two names: that of the copy processes load, and the one its operator gave it. */
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
 * A place such as "libweather.so+0x1139" for one in the loaded copy, which is named by its digest.
 * Places in other libraries stay as they are.
 */
export function shownPlace(at: string, { loaded, shown }: LibraryNames): string {
  const cut = at.lastIndexOf('+');
  const isLibrary = at.slice(0, cut) === loaded.slice(0, MODULE_NAME_MAX);
  return isLibrary ? shown + at.slice(cut) : at;
}

/**
 * Finds the function of a shown place.
 * @param path of the copy that was loaded
 * @returns "libweather.so+0x1139 (process_endpoint)"; `at` itself when its function cannot be told,
 *   or not soon. Never rejects.
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
 * The failure with the function it happened in, as far as the library's symbols tell.
 * @param loaded path of the copy that was loaded
 * @param original path the operator knows it by
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
