import type { ByteRange } from './byte-range.js';
import type { ByteSource } from './byte-source.js';
import { damaged } from './unreadable.js';

export const SEGMENT = { load: 1, dynamic: 2, interpreter: 3 } as const;

/** The fields of an ELF header that the other readers need. */
export interface ElfHeader {
  readonly is64: boolean;
  readonly littleEndian: boolean;
  readonly type: number;
  readonly machine: number;
  readonly segments: readonly ElfSegment[];
  readonly sectionTable: {
    readonly offset: number;
    readonly count: number;
    readonly entrySize: number;
    /** Index of the section with the names of sections. */
    readonly names: number;
  };
}

export interface ElfSegment {
  readonly type: number;
  readonly fileOffset: number;
  readonly address: number;
  readonly fileSize: number;
}

/** @throws UnreadableLibrary */
export function readElfHeader(source: ByteSource): ElfHeader {
  const identity = source.range(0, 16, 'ELF header');
  const [wordClass, order] = [identity.u8(4), identity.u8(5)];
  if ((wordClass !== 1 && wordClass !== 2) || (order !== 1 && order !== 2)) {
    throw damaged('its ELF header names no known word size and byte order');
  }
  const is64 = wordClass === 2;
  const littleEndian = order === 1;
  const fields = source.range(0, is64 ? 64 : 52, 'ELF header', littleEndian);
  const word = (at64: number, at32: number): number => (is64 ? fields.u64(at64) : fields.u32(at32));
  const short = (at64: number, at32: number): number => fields.u16(is64 ? at64 : at32);
  const base = { is64, littleEndian };
  return {
    ...base,
    type: fields.u16(16),
    machine: fields.u16(18),
    segments: readSegments(source, base, word(32, 28), short(56, 44), short(54, 42)),
    sectionTable: {
      offset: word(40, 32),
      count: short(60, 48),
      entrySize: short(58, 46),
      names: short(62, 50),
    },
  };
}

function readSegments(
  source: ByteSource,
  { is64, littleEndian }: Pick<ElfHeader, 'is64' | 'littleEndian'>,
  offset: number,
  count: number,
  entrySize: number,
): ElfSegment[] {
  if (count > 0 && entrySize !== (is64 ? 56 : 32)) throw damaged('its program headers have an unknown size');
  const table = source.table(offset, count, entrySize, 'program header table', littleEndian);
  return Array.from({ length: count }, (_, index) => {
    const at = index * entrySize;
    return is64
      ? segment(table.u32(at), table.u64(at + 8), table.u64(at + 16), table.u64(at + 32))
      : segment(table.u32(at), table.u32(at + 4), table.u32(at + 8), table.u32(at + 16));
  });
}

function segment(type: number, fileOffset: number, address: number, fileSize: number): ElfSegment {
  return { type, fileOffset, address, fileSize };
}

/**
 * Finds an address of the loaded library in the file.
 * @returns the bytes from there to the end of its segment, at most `lengthMax` of them
 */
export function atAddress(
  source: ByteSource,
  header: ElfHeader,
  address: number,
  lengthMax: number,
  what: string,
): ByteRange {
  return source.range(...locate(header, address, lengthMax, what), what, header.littleEndian);
}

/** @returns file offset and length, at most `lengthMax`, of what is loaded at `address` */
function locate(header: ElfHeader, address: number, lengthMax: number, what: string): [number, number] {
  for (const { type, fileOffset, address: start, fileSize } of header.segments) {
    if (type === SEGMENT.load && address >= start && address < start + fileSize) {
      const skipped = address - start;
      return [fileOffset + skipped, Math.min(lengthMax, fileSize - skipped)];
    }
  }
  throw damaged(`its ${what} lies outside every segment`);
}
