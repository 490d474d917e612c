import type { ByteRange } from './byte-range.js';
import type { ByteSource } from './byte-source.js';
import { type LibraryFacts, LIMITS } from './facts.js';
import { readExportTrie } from './mach-o-trie.js';
import { readMachOSymbols } from './mach-o-symbols.js';
import { damaged } from './unreadable.js';

const MAGIC = { thin32: 0xfeed_face, thin64: 0xfeed_facf } as const;
const COMMAND = {
  symbolTable: 0x2,
  loadLibrary: 0xc,
  libraryId: 0xd,
  segment64: 0x19,
  lazyLoadLibrary: 0x20,
  dyldInfo: 0x22,
  exportsTrie: 0x33,
  loadWeakLibrary: 0x18,
  runpath: 0x1c,
  reexportLibrary: 0x1f,
  loadUpwardLibrary: 0x23,
} as const;
/** A flag on commands that old loaders must not skip; it is not part of the command's number. */
const REQUIRED_BY_LOADER = 0x8000_0000;
const LOADS_LIBRARY: ReadonlySet<number> = new Set([
  COMMAND.loadLibrary,
  COMMAND.lazyLoadLibrary,
  COMMAND.loadWeakLibrary,
  COMMAND.reexportLibrary,
  COMMAND.loadUpwardLibrary,
]);

/**
 * Reads a Mach-O file of one architecture.
 * @throws UnreadableLibrary
 */
export function parseMachO(source: ByteSource): LibraryFacts {
  const littleEndian = [MAGIC.thin32, MAGIC.thin64].some(
    (magic) => source.range(0, 4, 'Mach-O header').u32(0) === magic,
  );
  const magic = source.range(0, 4, 'Mach-O header', littleEndian).u32(0);
  if (magic !== MAGIC.thin32 && magic !== MAGIC.thin64) throw damaged('its Mach-O header has no signature');
  const is64 = magic === MAGIC.thin64;
  const header = source.range(0, is64 ? 32 : 28, 'Mach-O header', littleEndian);
  const commands = source.range(header.length, header.u32(20), 'load commands', littleEndian);
  const found = readCommands(source, commands, header.u32(16));
  const names =
    found.trie === null
      ? readMachOSymbols(source, found.symbols, is64, littleEndian)
      : readExportTrie(source.range(...found.trie, 'export trie'));
  return {
    format: 'mach-o',
    kind: KINDS[header.u32(12)] ?? 'other',
    architectures: [machArchitecture(header.u32(4))],
    // C names have a leading underscore in the file; dlsym() takes them without it.
    exports: new Set([...names].flatMap((name) => (name.startsWith('_') ? name.slice(1) : []))),
    needed: found.needed,
    glibcFloor: null,
    libc: null,
    runpath: found.runpath,
    soname: found.id,
  };
}

const KINDS: Readonly<Record<number, LibraryFacts['kind']>> = {
  1: 'object',
  2: 'executable',
  6: 'shared-library',
  // A bundle can only be opened, not linked against; a plugin may be one.
  8: 'shared-library',
};

const CPUS: Readonly<Record<number, string>> = {
  7: 'ia32',
  12: 'arm',
  0x0100_0007: 'x64',
  0x0100_000c: 'arm64',
};

function machArchitecture(cpu: number): string {
  return CPUS[cpu] ?? `Mach-O processor ${cpu}`;
}

interface Commands {
  /** Offset and length of the export trie. */
  trie: [number, number] | null;
  /** Offset and number of symbols, offset and length of their names. */
  symbols: [number, number, number, number] | null;
  readonly needed: string[];
  readonly runpath: string[];
  id: string | null;
}

function readCommands(source: ByteSource, commands: ByteRange, count: number): Commands {
  const found: Commands = { trie: null, symbols: null, needed: [], runpath: [], id: null };
  if (count > LIMITS.tableEntries) throw damaged(`it claims ${count} load commands`);
  for (let index = 0, at = 0; index < count; index++) {
    const size = commands.u32(at + 4);
    if (size < 8) throw damaged('one of its load commands has no size');
    readCommand(source, commands, at, found);
    at += size;
  }
  return found;
}

function readCommand(source: ByteSource, commands: ByteRange, at: number, found: Commands): void {
  const command = (commands.u32(at) & ~REQUIRED_BY_LOADER) >>> 0;
  const text = (): string[] => {
    const name = commands.name(at + commands.u32(at + 8));
    return name ? [name] : [];
  };
  if (LOADS_LIBRARY.has(command)) found.needed.push(...text());
  else if (command === COMMAND.runpath) found.runpath.push(...text());
  else if (command === COMMAND.libraryId) found.id = text()[0] ?? null;
  else if (command === COMMAND.symbolTable) {
    const field = (index: number): number => commands.u32(at + 8 + index * 4);
    found.symbols = [field(0), field(1), field(2), field(3)];
  } else if (command === COMMAND.exportsTrie || command === COMMAND.dyldInfo) {
    const position = at + (command === COMMAND.dyldInfo ? 40 : 8);
    if (commands.u32(position + 4) > 0) found.trie = [commands.u32(position), commands.u32(position + 4)];
  } else if (command === COMMAND.segment64) {
    const end = commands.u64(at + 40) + commands.u64(at + 48);
    if (end > source.size) throw damaged(`it should have at least ${end} bytes`);
  }
}
