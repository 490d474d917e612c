import type { ByteSource } from './byte-source.js';
import { DT, readDynamic, type DynamicSection } from './elf-dynamic.js';
import { readElfHeader, SEGMENT, type ElfHeader } from './elf-header.js';
import { readElfExports } from './elf-symbols.js';
import { readGlibcFloor } from './elf-versions.js';
import type { LibraryFacts } from './facts.js';
import { damaged } from './unreadable.js';

const TYPE = { relocatable: 1, executable: 2, shared: 3 } as const;
/** DT_FLAGS_1: the file is a position-independent executable. */
const FLAG_PIE = 0x0800_0000;

/** @throws UnreadableLibrary */
export function parseElf(source: ByteSource): LibraryFacts {
  const header = readElfHeader(source);
  for (const segment of header.segments) {
    if (segment.type === SEGMENT.load && segment.fileOffset + segment.fileSize > source.size) {
      throw damaged(`it should have at least ${segment.fileOffset + segment.fileSize} bytes`);
    }
  }
  const dynamic = readDynamic(source, header);
  const needed = dynamic.texts(DT.needed);
  const glibcFloor = readGlibcFloor(source, header, dynamic);
  return {
    format: 'elf',
    kind: kindOf(header, dynamic),
    architectures: [architectureOf(header)],
    exports: readElfExports(source, header, dynamic),
    needed,
    glibcFloor,
    libc: libcOf(needed, glibcFloor),
    runpath: [...dynamic.texts(DT.rpath), ...dynamic.texts(DT.runpath)].flatMap((path) => path.split(':')),
    soname: dynamic.texts(DT.soname)[0] ?? null,
  };
}

/** Both libraries and most executables are of type "shared"; libc.so.6 even has an interpreter. */
function kindOf(header: ElfHeader, dynamic: DynamicSection): LibraryFacts['kind'] {
  if (header.type === TYPE.relocatable) return 'object';
  if (header.type === TYPE.executable) return 'executable';
  if (header.type !== TYPE.shared) return 'other';
  if (((dynamic.value(DT.flags1) ?? 0) & FLAG_PIE) !== 0) return 'executable';
  const hasInterpreter = header.segments.some(({ type }) => type === SEGMENT.interpreter);
  return hasInterpreter && dynamic.value(DT.debug) !== null ? 'executable' : 'shared-library';
}

const MACHINES: Readonly<Record<number, string>> = {
  3: 'ia32',
  20: 'ppc',
  22: 's390x',
  40: 'arm',
  62: 'x64',
  183: 'arm64',
  258: 'loong64',
};

function architectureOf({ machine, is64, littleEndian }: ElfHeader): string {
  if (machine === 62 && !is64) return 'x32';
  if (machine === 8) return littleEndian ? 'mipsel' : 'mips';
  if (machine === 21) return littleEndian ? 'ppc64le' : 'ppc64';
  if (machine === 243) return is64 ? 'riscv64' : 'riscv32';
  return MACHINES[machine] ?? `ELF machine ${machine}`;
}

function libcOf(needed: readonly string[], glibcFloor: string | null): LibraryFacts['libc'] {
  if (glibcFloor !== null || needed.includes('libc.so.6')) return 'glibc';
  return needed.some((name) => name === 'libc.so' || name.startsWith('libc.musl-')) ? 'musl' : null;
}
