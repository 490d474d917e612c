import type { ByteRange } from './byte-range.js';
import type { ByteSource } from './byte-source.js';
import { DT, type DynamicSection } from './elf-dynamic.js';
import { atAddress, type ElfHeader } from './elf-header.js';
import { LIMITS } from './facts.js';
import { damaged } from './unreadable.js';

const SECTION_DYNSYM = 11;
const BINDING = { global: 1, weak: 2, unique: 10 } as const;
const CHAIN_BYTES_MAX = 64 * 1024;
const VISIBILITY = { default: 0, protected: 3 } as const;

/**
 * Names that dlsym() can find. The dynamic section does not contain the number of symbols. The hash tables
 * do, and without a hash table the section header of .dynsym.
 * @throws UnreadableLibrary
 */
export function readElfExports(
  source: ByteSource,
  header: ElfHeader,
  dynamic: DynamicSection,
): ReadonlySet<string> {
  const exports = new Set<string>();
  const { strings } = dynamic;
  const address = dynamic.value(DT.symbols);
  if (strings === null || address === null) return exports;
  const count = symbolCount(source, header, dynamic);
  if (count > LIMITS.symbols) throw damaged(`its symbol table claims ${count} entries`);
  const entrySize = header.is64 ? 24 : 16;
  const table = atAddress(source, header, address, count * entrySize, 'symbol table');
  for (let at = 0; at < count * entrySize; at += entrySize) {
    if (!isExported(table, at, header.is64)) continue;
    const name = strings.name(table.u32(at));
    if (name) exports.add(name);
  }
  return exports;
}

function isExported(table: ByteRange, at: number, is64: boolean): boolean {
  const info = table.u8(at + (is64 ? 4 : 12));
  const visibility = table.u8(at + (is64 ? 5 : 13)) & 3;
  const section = table.u16(at + (is64 ? 6 : 14));
  const binding = info >> 4;
  return (
    section !== 0 &&
    (binding === BINDING.global || binding === BINDING.weak || binding === BINDING.unique) &&
    (visibility === VISIBILITY.default || visibility === VISIBILITY.protected)
  );
}

function symbolCount(source: ByteSource, header: ElfHeader, dynamic: DynamicSection): number {
  const gnuHash = dynamic.value(DT.gnuHash);
  if (gnuHash !== null) return countByGnuHash(source, header, gnuHash);
  const hash = dynamic.value(DT.hash);
  // On s390x the entries of DT_HASH are 8 bytes wide. The second entry is the number of symbols.
  const isWide = header.machine === 22 && header.is64;
  if (hash !== null) {
    const table = atAddress(source, header, hash, isWide ? 16 : 8, 'hash table');
    return isWide ? table.u64(8) : table.u32(4);
  }
  return countBySection(source, header);
}

/** The last symbol is at the end of the chain that the highest bucket starts. */
function countByGnuHash(source: ByteSource, header: ElfHeader, address: number): number {
  const head = atAddress(source, header, address, 16, 'hash table');
  const [bucketCount, firstSymbol, bloomCount] = [head.u32(0), head.u32(4), head.u32(8)];
  if (bucketCount > LIMITS.symbols) throw damaged(`its hash table claims ${bucketCount} buckets`);
  const bucketsAddress = address + 16 + bloomCount * (header.is64 ? 8 : 4);
  if (bucketCount === 0) return firstSymbol;
  const buckets = atAddress(source, header, bucketsAddress, bucketCount * 4, 'hash table');
  let last = 0;
  for (let index = 0; index < bucketCount; index++) last = Math.max(last, buckets.u32(index * 4));
  if (last < firstSymbol) return firstSymbol;
  const chainAddress = bucketsAddress + bucketCount * 4 + (last - firstSymbol) * 4;
  const chain = atAddress(source, header, chainAddress, CHAIN_BYTES_MAX, 'hash table');
  let at = 0;
  while ((chain.u32(at) & 1) === 0) at += 4;
  return last + at / 4 + 1;
}

function countBySection(source: ByteSource, header: ElfHeader): number {
  const { offset, count, entrySize } = header.sectionTable;
  if (offset === 0 || entrySize < (header.is64 ? 64 : 40)) return 0;
  const table = source.table(offset, count, entrySize, 'section header table', header.littleEndian);
  for (let at = 0; at < count * entrySize; at += entrySize) {
    if (table.u32(at + 4) !== SECTION_DYNSYM) continue;
    return Math.floor(header.is64 ? table.u64(at + 32) / 24 : table.u32(at + 20) / 16);
  }
  return 0;
}
