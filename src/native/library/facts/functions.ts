import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ByteSource } from './byte-source.js';
import { type ElfHeader, readElfHeader } from './elf-header.js';
import { LIMITS } from './facts.js';

const SECTION = { symbols: 2, dynamicSymbols: 11 } as const;
const SYMBOL = { function: 2, indirectFunction: 10 } as const;
/** Symbols read in one turn of the event loop. */
const SYMBOLS_PER_TURN = 4096;

/**
 * Finds the function of an ELF library that contains an instruction, in .symtab or, when that is stripped,
 * in .dynsym. Returns the symbol's name, not demangled.
 * @param offset of the instruction, as symbol tables count: relative to the load address
 * @returns null when no symbol matches or the file cannot be read; never rejects
 */
export async function functionAt(path: string, offset: number): Promise<string | null> {
  // Without O_NONBLOCK, opening a named pipe would wait for a writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => null);
  if (file === null) return null;
  try {
    const stats = await file.stat();
    return stats.isFile() ? await search(ByteSource.ofFile(file.fd, stats.size), offset) : null;
  } catch {
    return null;
  } finally {
    await file.close();
  }
}

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  /** For a symbol table: the section with its names. */
  readonly link: number;
}

interface FunctionSymbol {
  readonly nameOffset: number;
  readonly start: number;
}

async function search(source: ByteSource, offset: number): Promise<string | null> {
  if (source.range(0, 4, 'start', false).u32(0) !== 0x7f45_4c46) return null;
  const header = readElfHeader(source);
  const sections = readSections(source, header);
  for (const type of [SECTION.symbols, SECTION.dynamicSymbols]) {
    const table = sections.find((section) => section.type === type);
    const names = table && sections[table.link];
    if (names === undefined) continue;
    const found = await innermost(source, header, table!, offset);
    if (found !== null) return nameOf(source, names, found);
  }
  return null;
}

function readSections(source: ByteSource, { is64, littleEndian, sectionTable }: ElfHeader): Section[] {
  const { offset, count, entrySize } = sectionTable;
  if (offset === 0 || entrySize < (is64 ? 64 : 40)) return [];
  const table = source.table(offset, count, entrySize, 'section header table', littleEndian);
  return Array.from({ length: count }, (_, index) => {
    const at = index * entrySize;
    return {
      type: table.u32(at + 4),
      offset: is64 ? table.u64(at + 24) : table.u32(at + 16),
      size: is64 ? table.u64(at + 32) : table.u32(at + 20),
      link: table.u32(at + (is64 ? 40 : 24)),
    };
  });
}

/** Of the functions that contain the offset, the one that begins last. */
async function innermost(
  source: ByteSource,
  { is64, littleEndian }: ElfHeader,
  section: Section,
  offset: number,
): Promise<FunctionSymbol | null> {
  const entrySize = is64 ? 24 : 16;
  const count = Math.min(Math.floor(section.size / entrySize), LIMITS.symbols);
  let best: FunctionSymbol | null = null;
  for (let first = 0; first < count; first += SYMBOLS_PER_TURN) {
    if (first > 0) await nextTurn();
    const length = Math.min(SYMBOLS_PER_TURN, count - first);
    const start = section.offset + first * entrySize;
    const table = source.table(start, length, entrySize, 'symbol table', littleEndian);
    for (let at = 0; at < length * entrySize; at += entrySize) {
      const type = table.u8(at + (is64 ? 4 : 12)) & 15;
      if (type !== SYMBOL.function && type !== SYMBOL.indirectFunction) continue;
      const begin = is64 ? table.u64(at + 8) : table.u32(at + 4);
      const size = is64 ? table.u64(at + 16) : table.u32(at + 8);
      // A function elsewhere has address and size 0.
      if (begin > offset || offset >= begin + size) continue;
      if (best === null || begin > best.start) best = { nameOffset: table.u32(at), start: begin };
    }
  }
  return best;
}

function nameOf(source: ByteSource, names: Section, { nameOffset }: FunctionSymbol): string | null {
  const length = Math.min(LIMITS.nameBytes, names.size - nameOffset);
  return source.range(names.offset + nameOffset, length, 'string table').name(0) || null;
}
