import type { ByteSource } from './byte-source.js';
import { damaged } from './unreadable.js';

const SIGNATURE = 0x0000_4550;
const OPTIONAL_MAGIC = { pe32: 0x10b, pe32Plus: 0x20b } as const;
const SECTION_SIZE = 40;

export interface PeHeader {
  readonly machine: number;
  readonly flags: number;
  /** Address of each data directory, relative to the image base; 0 for none. */
  readonly directories: readonly number[];
  readonly sections: readonly PeSection[];
}

interface PeSection {
  readonly address: number;
  readonly fileOffset: number;
  readonly fileSize: number;
}

/** @throws UnreadableLibrary */
export function readPeHeader(source: ByteSource): PeHeader {
  const start = source.range(0, 64, 'DOS header').u32(60);
  const coff = source.range(start, 24, 'PE header');
  if (coff.u32(0) !== SIGNATURE) throw damaged('its PE header has no signature');
  const optionalSize = coff.u16(20);
  return {
    machine: coff.u16(4),
    flags: coff.u16(22),
    directories: readDirectories(source, start + 24, optionalSize),
    sections: readSections(source, start + 24 + optionalSize, coff.u16(6)),
  };
}

function readDirectories(source: ByteSource, offset: number, size: number): number[] {
  const optional = source.range(offset, size, 'optional header');
  const magic = optional.u16(0);
  if (magic !== OPTIONAL_MAGIC.pe32 && magic !== OPTIONAL_MAGIC.pe32Plus) {
    throw damaged('its optional header is of an unknown kind');
  }
  const table = magic === OPTIONAL_MAGIC.pe32Plus ? 112 : 96;
  const count = Math.min(optional.u32(table - 4), Math.floor((size - table) / 8));
  return Array.from({ length: Math.max(count, 0) }, (_, index) => optional.u32(table + index * 8));
}

function readSections(source: ByteSource, offset: number, count: number): PeSection[] {
  const table = source.table(offset, count, SECTION_SIZE, 'section table');
  return Array.from({ length: count }, (_, index) => {
    const at = index * SECTION_SIZE;
    const fileSize = table.u32(at + 16);
    const fileOffset = fileSize === 0 ? 0 : table.u32(at + 20);
    if (fileOffset + fileSize > source.size) {
      throw damaged(`it should have at least ${fileOffset + fileSize} bytes`);
    }
    return { address: table.u32(at + 12), fileOffset, fileSize };
  });
}
