import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { ByteSource } from './byte-source.js';
import { readElfHeader } from './elf-header.js';
import { readSections } from './elf-sections.js';
import { functionsAt } from './functions.js';
import { linesAt } from './debug-lines.js';

/** What a library's symbols and debug information say about an instruction. Texts are untrusted. */
export interface SourcePlace {
  /** Null when no symbol contains the instruction. Not demangled. */
  function: string | null;
  /** Null without debug information. */
  file: string | null;
  line: number | null;
}

/**
 * Finds the functions and source lines of instructions in an ELF library, without loading it. Works in
 * turns of the event loop.
 * @param offsets of the instructions, as symbol tables count: relative to the load address
 * @param found gets what is known: first the functions, later the lines. Never called after `isLate()`.
 * @returns when there is no more to find; never rejects, whatever the file contains
 */
export async function findSourcePlaces(
  path: string,
  offsets: readonly number[],
  found: (offset: number, place: Partial<SourcePlace>) => void,
  isLate: () => boolean,
): Promise<void> {
  // Without O_NONBLOCK, opening a named pipe would wait for a writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => null);
  if (file === null) return;
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return;
    const source = ByteSource.ofFile(file.fd, stats.size);
    if (source.range(0, 4, 'start', false).u32(0) !== 0x7f45_4c46) return;
    const header = readElfHeader(source);
    const sections = readSections(source, header);
    const functions = await functionsAt(source, header, sections, offsets);
    if (isLate()) return;
    for (const [offset, name] of functions) found(offset, { function: name });
    for (const [offset, line] of await linesAt(source, header, sections, offsets, isLate))
      if (!isLate()) found(offset, line);
  } catch {
    // Damaged: what was found before counts.
  } finally {
    await file.close();
  }
}
