import { basename } from 'node:path';
import type { CrashFrame } from '../../errors.js';
import type { NativePluginOptions } from '../plugin.js';
import type { CrashPlace } from './crash-report.js';

/** The runner reports at most this much of a module's file name. */
const MODULE_NAME_MAX = 63;

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
 * The frames of a crash, without the ones below the plugin's outermost function, which are the runner's. The
 * plugin's library is named by the operator's file name instead of the copy's, which is a digest.
 */
export function crashFrames(places: readonly CrashPlace[], { loaded, shown }: LibraryNames): CrashFrame[] {
  const frames = places.map(({ module, offset }): CrashFrame => {
    const own = module === loaded.slice(0, MODULE_NAME_MAX);
    const name = own ? shown : module;
    return { at: name === null ? offset : `${name}+${offset}`, own, function: null, file: null, line: null };
  });
  const last = frames.findLastIndex(({ own }) => own);
  return last < 0 ? frames : frames.slice(0, last + 1);
}

/** The frame an author looks for: the innermost one in the plugin's library, else the innermost one of all. */
export function decisiveFrame(frames: readonly CrashFrame[]): CrashFrame | undefined {
  return frames.find(({ own }) => own) ?? frames.find(({ at }) => at.includes('+'));
}

/** Such as "libweather.so+0x1139 (forecast at forecast.c:12)". */
export function placeText({ at, function: name, file, line }: CrashFrame): string {
  const source = file === null ? '' : `${basename(file)}:${line}`;
  const known = [name, source].filter((text) => text !== null && text !== '');
  return known.length === 0 ? at : `${at} (${known.join(' at ')})`;
}
