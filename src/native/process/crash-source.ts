import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type CrashFrame, PluginFailure } from '../../errors.js';
import { oneLine } from '../../printable.js';
import { Semaphore } from '../../semaphore.js';
import { readableName } from '../library/facts/readable-name.js';
import { findSourcePlaces, type SourcePlace } from '../library/facts/source-places.js';
import { decisiveFrame, placeText } from './crash-place.js';

const TEXT_MAX = 256;
/** The search for source lines may delay the report of a crash by this much. It delays nothing else. */
const SEARCH_MS = 2000;
/** Crashes of many plugins at once share the server's processor with its requests. */
const searches = new Semaphore(1);

/** Where the libraries of a plugin are, for reading their symbols. */
export interface LibraryPlaces {
  /** The copy that was loaded. */
  readonly loaded: string;
  /** Further libraries of the plugin. */
  readonly dependencies: readonly string[];
}

/**
 * Adds function names and source lines to a failure, and what the plugin's runtime said.
 * @returns `failure` itself when there is nothing to add; never rejects
 */
export async function withSource(failure: PluginFailure, libraries: LibraryPlaces): Promise<PluginFailure> {
  const { said, message, cause } = failure;
  const backtrace = await withSourcePlaces(failure.backtrace, libraries);
  const decisive = decisiveFrame(backtrace);
  const at = decisive === undefined ? failure.at : placeText(decisive);
  let text = failure.at === undefined ? message : message.replace(failure.at, () => at ?? '');
  if (said !== undefined) text = `${text}: ${said}`;
  if (text === message) return failure;
  return new PluginFailure(failure.code, text, { ...failure, cause, at, backtrace });
}

/** Adds function names and source lines to frames. Never rejects. */
export async function withSourcePlaces(
  frames: readonly CrashFrame[],
  libraries: LibraryPlaces,
): Promise<CrashFrame[]> {
  const found = frames.map((): SourcePlace => ({ function: null, file: null, line: null }));
  const byLibrary = new Map<string, Map<number, SourcePlace[]>>();
  for (const [index, { at, own }] of frames.entries()) {
    const cut = at.lastIndexOf('+');
    const offset = Number(at.slice(cut + 1));
    const path = own ? libraries.loaded : libraryNamed(at.slice(0, Math.max(cut, 0)), libraries);
    if (path === undefined || !Number.isSafeInteger(offset)) continue;
    const offsets = byLibrary.get(path) ?? new Map<number, SourcePlace[]>();
    byLibrary.set(path, offsets.set(offset, [...(offsets.get(offset) ?? []), found[index] as SourcePlace]));
  }
  await inTime(async (isLate) => {
    for (const [path, offsets] of byLibrary)
      await findSourcePlaces(
        path,
        [...offsets.keys()],
        (offset, place) => offsets.get(offset)?.forEach((each) => Object.assign(each, place)),
        isLate,
      );
  });
  return frames.map((frame, index) => ({ ...frame, ...printed(found[index] as SourcePlace) }));
}

/** Runs a search to its end, but waits for it only so long. */
async function inTime(search: (isLate: () => boolean) => Promise<void>): Promise<void> {
  let isLate = false;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      isLate = true;
      resolve();
    }, SEARCH_MS);
  });
  const searched = searches.run(async () => (isLate ? undefined : search(() => isLate)));
  await Promise.race([searched, late]);
  clearTimeout(timer);
}

function printed({ function: name, file, line }: SourcePlace): SourcePlace {
  return {
    function: name && oneLine(readableName(name).slice(0, TEXT_MAX)),
    file: file && oneLine(file.slice(-TEXT_MAX)),
    line,
  };
}

/** Only libraries of the plugin and of the system: the report may name any file. */
function libraryNamed(module: string, { dependencies }: LibraryPlaces): string | undefined {
  const own = dependencies.find((path) => basename(path) === module);
  if (own !== undefined || !SYSTEM_LIBRARY.test(module)) return own;
  return systemDirectories()
    .map((directory) => join(directory, module))
    .find((path) => existsSync(path));
}

const SYSTEM_LIBRARY = /^(?:lib|ld-)[\w.+-]+$/;
let directories: readonly string[] | null = null;

/** Where the libraries lie that the server itself has loaded, such as the C library. */
function systemDirectories(): readonly string[] {
  if (directories !== null) return directories;
  try {
    const maps = readFileSync('/proc/self/maps', 'utf8');
    directories = [...new Set([...maps.matchAll(/(\/.*)\/libc\.so\.6$/gm)].map(([, path = '']) => path))];
  } catch {
    directories = [];
  }
  return directories;
}
