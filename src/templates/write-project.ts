import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, renameSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { BackworksError } from '../errors.js';
import { type Language, PACKAGE } from './catalog.js';
import type { ProjectFiles } from './project-files.js';

/** What the compilers of a checkout leave beside the sources of the SDKs. */
const BUILT = new Set(['target', 'zig-out', '.zig-cache', 'node_modules']);

/**
 * Writes a project, completely or not at all: into a new folder beside `directory`, which is then renamed.
 * @param force write into a folder that has files: files of the same name are replaced, the others stay
 * @throws BackworksError BW_PROJECT_WRITE when the folder has files, or cannot be written
 */
export function writeProject(
  directory: string,
  files: ProjectFiles,
  language: Language,
  force: boolean,
): void {
  const present = entriesOf(directory);
  if (present.length > 0 && !force) {
    throw new BackworksError('BW_PROJECT_WRITE', `${directory} is not empty: it has ${present[0]}`, {
      hint: 'choose another folder with --directory, or replace files of the same name with --force',
    });
  }
  const draft = join(dirname(directory), `.${basename(directory)}-${randomBytes(6).toString('hex')}`);
  try {
    mkdirSync(draft, { recursive: true });
    fill(draft, files, language);
    if (present.length > 0) cpSync(draft, directory, { recursive: true, force: true });
    else {
      rmdirIfThere(directory);
      renameSync(draft, directory);
    }
  } catch (cause) {
    throw cannotWrite(directory, cause);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function fill(draft: string, files: ProjectFiles, { sdk }: Language): void {
  for (const [path, text] of files) {
    mkdirSync(dirname(join(draft, path)), { recursive: true });
    writeFileSync(join(draft, path), text);
  }
  const isSource = (path: string): boolean => !BUILT.has(basename(path));
  for (const [from, to] of sdk)
    cpSync(join(PACKAGE, from), join(draft, to), { recursive: true, filter: isSource });
}

function rmdirIfThere(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** @throws BackworksError BW_PROJECT_WRITE when `directory` is not a folder */
function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw cannotWrite(directory, cause);
  }
}

function cannotWrite(directory: string, cause: unknown): BackworksError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reason = code === 'ENOTDIR' || code === 'EEXIST' ? 'a file is in the way' : message;
  return new BackworksError('BW_PROJECT_WRITE', `cannot write ${directory}: ${reason}`, { cause });
}
