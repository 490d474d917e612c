import type { ByteRange } from './byte-range.js';
import type { ByteSource } from './byte-source.js';
import { atAddress, type ElfHeader, SEGMENT } from './elf-header.js';
import { LIMITS } from './facts.js';

/** Tags of the dynamic section. */
export const DT = {
  needed: 1,
  hash: 4,
  strings: 5,
  symbols: 6,
  stringsSize: 10,
  soname: 14,
  rpath: 15,
  debug: 21,
  runpath: 29,
  gnuHash: 0x6fff_fef5,
  flags1: 0x6fff_fffb,
  versionNeeds: 0x6fff_fffe,
  versionNeedsCount: 0x6fff_ffff,
} as const;

/** The dynamic section, which the loader reads. It exists even when section headers are stripped. */
export interface DynamicSection {
  value(tag: number): number | null;
  /** Texts of every entry of that tag. */
  texts(tag: number): string[];
  /** The dynamic string table; null when the file has none. */
  readonly strings: ByteRange | null;
}

/** @throws UnreadableLibrary */
export function readDynamic(source: ByteSource, header: ElfHeader): DynamicSection {
  const entries = readEntries(source, header);
  const value = (tag: number): number | null => entries.get(tag)?.[0] ?? null;
  const [address, size] = [value(DT.strings), value(DT.stringsSize)];
  const strings =
    address === null || size === null ? null : atAddress(source, header, address, size, 'string table');
  const texts = (tag: number): string[] =>
    (entries.get(tag) ?? []).flatMap((offset) => strings?.name(offset) ?? []);
  return { value, texts, strings };
}

function readEntries(source: ByteSource, header: ElfHeader): Map<number, number[]> {
  const entries = new Map<number, number[]>();
  const segment = header.segments.find(({ type }) => type === SEGMENT.dynamic);
  if (segment === undefined) return entries;
  const entrySize = header.is64 ? 16 : 8;
  const count = Math.min(Math.floor(segment.fileSize / entrySize), LIMITS.tableEntries);
  const table = source.table(segment.fileOffset, count, entrySize, 'dynamic section', header.littleEndian);
  const word = (at: number): number => (header.is64 ? table.u64(at) : table.u32(at));
  for (let index = 0; index < count; index++) {
    const tag = word(index * entrySize);
    if (tag === 0) break;
    const values = entries.get(tag);
    const value = word(index * entrySize + entrySize / 2);
    if (values === undefined) entries.set(tag, [value]);
    else values.push(value);
  }
  return entries;
}
