import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ByteSource } from './byte-source.js';
import type { ElfHeader } from './elf-header.js';
import type { ElfSection } from './elf-sections.js';
import { LIMITS } from './facts.js';

const SECTION = { symbols: 2, dynamicSymbols: 11 } as const;
const SYMBOL = { function: 2, indirectFunction: 10 } as const;
/** Symbols read in one turn of the event loop. */
const SYMBOLS_PER_TURN = 4096;

interface FunctionSymbol {
  readonly nameOffset: number;
  readonly start: number;
}

/**
 * Finds the functions of an ELF library that contain instructions, in .symtab or, when that is stripped,
 * in .dynsym. Names are as in the table, not demangled.
 * @param offsets of the instructions, as symbol tables count: relative to the load address
 * @throws UnreadableLibrary (as a rejection)
 */
export async function functionsAt(
  source: ByteSource,
  header: ElfHeader,
  sections: readonly ElfSection[],
  offsets: readonly number[],
): Promise<Map<number, string>> {
  const names = new Map<number, string>();
  for (const type of [SECTION.symbols, SECTION.dynamicSymbols]) {
    const table = sections.find((section) => section.type === type);
    const texts = table && sections[table.link];
    if (texts === undefined) continue;
    const wanted = offsets.filter((offset) => !names.has(offset));
    for (const [offset, symbol] of await innermost(source, header, table!, wanted)) {
      const name = nameOf(source, texts, symbol);
      if (name !== null) names.set(offset, name);
    }
  }
  return names;
}

/** For each offset: of the functions that contain it, the one that begins last. */
async function innermost(
  source: ByteSource,
  { is64, littleEndian }: ElfHeader,
  section: ElfSection,
  offsets: readonly number[],
): Promise<Map<number, FunctionSymbol>> {
  const entrySize = is64 ? 24 : 16;
  const count = Math.min(Math.floor(section.size / entrySize), LIMITS.symbols);
  const best = new Map<number, FunctionSymbol>();
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
      for (const offset of offsets) {
        // A function elsewhere has address and size 0.
        if (begin > offset || offset >= begin + size) continue;
        if (begin > (best.get(offset)?.start ?? -1))
          best.set(offset, { nameOffset: table.u32(at), start: begin });
      }
    }
  }
  return best;
}

function nameOf(source: ByteSource, names: ElfSection, { nameOffset }: FunctionSymbol): string | null {
  const length = Math.min(LIMITS.nameBytes, names.size - nameOffset);
  return source.range(names.offset + nameOffset, length, 'string table').name(0) || null;
}
