import type { ByteSource } from './byte-source.js';

const TYPE = { debugging: 0xe0, private: 0x10, kind: 0x0e, external: 0x01 } as const;

/**
 * Names of the symbol table that other files may use, for libraries without an export trie.
 * @param symbols offset and number of symbols, offset and length of their names
 * @throws UnreadableLibrary
 */
export function readMachOSymbols(
  source: ByteSource,
  symbols: readonly [number, number, number, number] | null,
  is64: boolean,
  littleEndian: boolean,
): ReadonlySet<string> {
  const exports = new Set<string>();
  if (symbols === null) return exports;
  const [offset, count, namesOffset, namesLength] = symbols;
  const entrySize = is64 ? 16 : 12;
  const table = source.table(offset, count, entrySize, 'symbol table', littleEndian);
  const names = source.range(namesOffset, namesLength, 'string table');
  for (let at = 0; at < count * entrySize; at += entrySize) {
    const type = table.u8(at + 4);
    const isDefined = (type & TYPE.kind) !== 0;
    const isPublic = (type & TYPE.external) !== 0 && (type & (TYPE.private | TYPE.debugging)) === 0;
    if (!isDefined || !isPublic) continue;
    const name = names.name(table.u32(at));
    if (name) exports.add(name);
  }
  return exports;
}
