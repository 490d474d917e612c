import type { ByteRange } from './byte-range.js';
import type { ByteSource } from './byte-source.js';
import { type LibraryFacts, LIMITS } from './facts.js';
import { readPeHeader, type PeHeader } from './pe-header.js';
import { damaged } from './unreadable.js';

const FLAG = { executable: 0x0002, dll: 0x2000 } as const;
const DIRECTORY = { exports: 0, imports: 1 } as const;
const IMPORT_SIZE = 20;
const NAME_WINDOW_BYTES = 64 * 1024;

/** @throws UnreadableLibrary */
export function parsePe(source: ByteSource): LibraryFacts {
  const header = readPeHeader(source);
  const image = new PeImage(source, header);
  return {
    format: 'pe',
    kind: kindOf(header.flags),
    architectures: [MACHINES[header.machine] ?? `PE machine ${header.machine}`],
    ...readExports(image, header.directories[DIRECTORY.exports] ?? 0),
    needed: readImports(image, header.directories[DIRECTORY.imports] ?? 0),
    glibcFloor: null,
    libc: null,
    runpath: [],
  };
}

function kindOf(flags: number): LibraryFacts['kind'] {
  if ((flags & FLAG.dll) !== 0) return 'shared-library';
  return (flags & FLAG.executable) !== 0 ? 'executable' : 'other';
}

const MACHINES: Readonly<Record<number, string>> = {
  0x014c: 'ia32',
  0x01c0: 'arm',
  0x01c4: 'arm',
  0x8664: 'x64',
  0xaa64: 'arm64',
};

/** The sections, addressed as the loader would map them (relative virtual addresses, RVA). */
class PeImage {
  private names: ByteRange | null = null;
  private namesStart = 0;

  constructor(
    private readonly source: ByteSource,
    private readonly header: PeHeader,
  ) {}

  /** At most `lengthMax` bytes from an RVA to the end of its section. */
  range(rva: number, lengthMax: number, what: string): ByteRange {
    for (const { address, fileOffset, fileSize } of this.header.sections) {
      if (rva >= address && rva < address + fileSize) {
        const skipped = rva - address;
        return this.source.range(fileOffset + skipped, Math.min(lengthMax, fileSize - skipped), what);
      }
    }
    throw damaged(`its ${what} lies outside every section`);
  }

  /** Names lie close together, so one read serves many names. */
  name(rva: number): string | null {
    const known = this.names;
    if (
      known !== null &&
      rva >= this.namesStart &&
      rva + LIMITS.nameBytes <= this.namesStart + known.length
    ) {
      return known.name(rva - this.namesStart);
    }
    this.names = this.range(rva, NAME_WINDOW_BYTES, 'name table');
    this.namesStart = rva;
    return this.names.name(0);
  }
}

function readExports(image: PeImage, rva: number): Pick<LibraryFacts, 'exports' | 'soname'> {
  const exports = new Set<string>();
  if (rva === 0) return { exports, soname: null };
  const directory = image.range(rva, 40, 'export directory');
  const count = directory.u32(24);
  if (count > LIMITS.symbols) throw damaged(`its export table claims ${count} names`);
  if (count > 0) {
    const table = image.range(directory.u32(32), count * 4, 'export table');
    for (let index = 0; index < count; index++) {
      const name = image.name(table.u32(index * 4));
      if (name) exports.add(name);
    }
  }
  const nameRva = directory.u32(12);
  return { exports, soname: nameRva === 0 ? null : image.name(nameRva) };
}

/** The import table has one entry per library and ends with an entry without a name. */
function readImports(image: PeImage, rva: number): string[] {
  const needed: string[] = [];
  if (rva === 0) return needed;
  const table = image.range(rva, LIMITS.tableEntries * IMPORT_SIZE, 'import table');
  for (let at = 0; ; at += IMPORT_SIZE) {
    const nameRva = table.u32(at + 12);
    if (nameRva === 0) return needed;
    const name = image.name(nameRva);
    if (name) needed.push(name);
  }
}
