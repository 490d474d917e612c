import { promisify } from 'node:util';
import { inflate } from 'node:zlib';
import type { ByteSource } from './byte-source.js';
import type { ElfHeader } from './elf-header.js';
import { LIMITS } from './facts.js';
import { damaged } from './unreadable.js';

const inflated = promisify(inflate);

const COMPRESSED = 0x800;
const ZLIB = 1;

/** A section of an ELF file. */
export interface ElfSection {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly size: number;
  /** For a symbol table: the section with its names. */
  readonly link: number;
}

/** @throws UnreadableLibrary */
export function readSections(source: ByteSource, header: ElfHeader): ElfSection[] {
  const { is64, littleEndian, sectionTable } = header;
  const { offset, count, entrySize, names } = sectionTable;
  if (offset === 0 || entrySize < (is64 ? 64 : 40)) return [];
  const table = source.table(offset, count, entrySize, 'section header table', littleEndian);
  const sections = Array.from({ length: count }, (_, index) => {
    const at = index * entrySize;
    return {
      nameOffset: table.u32(at),
      type: table.u32(at + 4),
      flags: table.u32(at + 8),
      offset: is64 ? table.u64(at + 24) : table.u32(at + 16),
      size: is64 ? table.u64(at + 32) : table.u32(at + 20),
      link: table.u32(at + (is64 ? 40 : 24)),
    };
  });
  const strings = sections[names];
  const text = strings && source.range(strings.offset, strings.size, 'section names');
  return sections.map(({ nameOffset, ...section }) => ({
    ...section,
    name: text && nameOffset < text.length ? (text.name(nameOffset) ?? '') : '',
  }));
}

/**
 * The bytes of a section, decompressed.
 * @returns null when it is compressed in a way that is not supported
 * @throws UnreadableLibrary (as a rejection) when it lies outside the file or is too large
 */
export async function sectionBytes(
  source: ByteSource,
  { is64, littleEndian }: ElfHeader,
  { name, flags, offset, size }: ElfSection,
): Promise<Buffer | null> {
  const range = source.range(offset, size, name, littleEndian);
  const bytes = Buffer.from(range.bytes.buffer, range.bytes.byteOffset, range.length);
  // On 64-bit systems the upper half of the flags follows; no flag in it matters here.
  if ((flags & COMPRESSED) === 0) return bytes;
  const whole = is64 ? range.u64(8) : range.u32(4);
  if (range.u32(0) !== ZLIB) return null;
  if (whole > LIMITS.sectionBytes) throw damaged(`its ${name} is implausibly large`);
  return inflated(bytes.subarray(is64 ? 24 : 12), { maxOutputLength: Math.max(whole, 1) });
}
