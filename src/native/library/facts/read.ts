import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { BackworksError } from '../../../errors.js';
import { ByteSource } from './byte-source.js';
import { parseElf } from './elf.js';
import { LIMITS, type LibraryFacts } from './facts.js';
import { adviseOn, recognizeOther } from './file-type.js';
import { parseMachO } from './mach-o.js';
import { PARTS_MAX, parseUniversalMachO } from './mach-o-universal.js';
import { parsePe } from './pe.js';
import { UnreadableLibrary } from './unreadable.js';

const START_BYTES = 512;

/**
 * Reads a library's facts without loading it: only the headers and tables that hold them.
 * @throws BackworksError BW_LIBRARY_NOT_FOUND, BW_LIBRARY_FORMAT or BW_LIBRARY_TRUNCATED
 */
export async function readLibraryFacts(path: string): Promise<LibraryFacts> {
  // Without O_NONBLOCK, opening a named pipe would wait for a writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
    throw cannotRead(path, cause);
  });
  try {
    const stats = await file.stat();
    if (!stats.isFile()) {
      const what = stats.isDirectory() ? 'a directory' : 'not a regular file';
      throw new BackworksError('BW_LIBRARY_FORMAT', `${path} is ${what}`, { hint: adviseOn(what) });
    }
    return parse(ByteSource.ofFile(file.fd, stats.size), path);
  } finally {
    await file.close();
  }
}

/**
 * The same for bytes in memory.
 * @param path names the library in errors
 * @throws BackworksError BW_LIBRARY_FORMAT or BW_LIBRARY_TRUNCATED
 * @internal exported for its test
 */
export function parseLibraryFacts(bytes: Uint8Array, path = 'the library'): LibraryFacts {
  return parse(ByteSource.ofBytes(bytes), path);
}

function parse(source: ByteSource, path: string): LibraryFacts {
  try {
    if (source.size > LIMITS.fileBytes) {
      throw new UnreadableLibrary(
        'is larger than 512 MiB',
        'BW_LIBRARY_FORMAT',
        'strip its debug information',
      );
    }
    return parserFor(source)(source);
  } catch (error) {
    if (error instanceof UnreadableLibrary) throw error.at(path);
    // EIO and the like, in the middle of reading.
    if (error instanceof Error && 'syscall' in error) throw cannotRead(path, error);
    throw error;
  }
}

function parserFor(source: ByteSource): (source: ByteSource) => LibraryFacts {
  const start = source.range(0, Math.min(START_BYTES, source.size), 'start', false);
  if (start.length >= 8) {
    const magic = start.u32(0);
    if (magic === 0x7f45_4c46) return parseElf;
    if (THIN_MACH_O.has(magic)) return parseMachO;
    if (UNIVERSAL_MACH_O.has(magic) && start.u32(4) <= PARTS_MAX) return parseUniversalMachO;
    if (start.u16(0) === 0x4d5a) return parsePe;
  }
  const what = recognizeOther(start.bytes);
  throw new UnreadableLibrary(`is not a shared library but ${what}`, 'BW_LIBRARY_FORMAT', adviseOn(what));
}

const THIN_MACH_O: ReadonlySet<number> = new Set([0xfeed_face, 0xfeed_facf, 0xcefa_edfe, 0xcffa_edfe]);
const UNIVERSAL_MACH_O: ReadonlySet<number> = new Set([0xcafe_babe, 0xcafe_babf]);

function cannotRead(path: string, cause: unknown): BackworksError {
  const { code } = cause as NodeJS.ErrnoException;
  const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
  const message = isMissing
    ? `${path} does not exist`
    : `${path} cannot be read (${code ?? 'unknown reason'})`;
  const hint = isMissing ? 'build the plugin, or correct the path' : 'check its permissions';
  return new BackworksError('BW_LIBRARY_NOT_FOUND', message, { hint, cause });
}
