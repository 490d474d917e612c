/**
 * Small libraries of other systems, byte for byte as their linkers write them, because a Linux machine
 * has no tools to build them.
 */

export interface ForeignLibrary {
  readonly cpu: number;
  readonly exports: readonly string[];
}

/** A Windows DLL: headers, then one section with import and export directories. */
export function buildPe({ cpu, exports }: ForeignLibrary, { flags = 0x2022, is64 = true } = {}): Buffer {
  const [sectionOffset, sectionAddress] = [0x200, 0x1000];
  const section = new Layout(sectionAddress);
  const dllName = section.text('plugin.dll');
  const needed = section.text('KERNEL32.dll');
  const names = exports.map((name) => section.text(name));
  const nameTable = section.words(names);
  const imports = section.words([0, 0, 0, needed, 0, 0, 0, 0, 0, 0]);
  const directory = section.words([0, 0, 0, dllName, 1, names.length, names.length, 0, nameTable, 0]);
  const body = section.bytes();

  const directories = is64 ? 112 : 96;
  const optionalSize = directories + 16 * 8;
  const file = Buffer.alloc(sectionOffset + body.length);
  file.write('MZ', 0, 'latin1');
  file.writeUInt32LE(64, 60);
  file.write('PE\0\0', 64, 'latin1');
  file.writeUInt16LE(cpu, 68);
  file.writeUInt16LE(1, 70);
  file.writeUInt16LE(optionalSize, 84);
  file.writeUInt16LE(flags, 86);
  const optional = 88;
  file.writeUInt16LE(is64 ? 0x20b : 0x10b, optional);
  file.writeUInt32LE(16, optional + directories - 4);
  file.writeUInt32LE(directory, optional + directories);
  file.writeUInt32LE(imports, optional + directories + 8);
  const header = optional + optionalSize;
  file.write('.rdata', header, 'latin1');
  file.writeUInt32LE(body.length, header + 8);
  file.writeUInt32LE(sectionAddress, header + 12);
  file.writeUInt32LE(body.length, header + 16);
  file.writeUInt32LE(sectionOffset, header + 20);
  body.copy(file, sectionOffset);
  return file;
}

/** A macOS library: header, load commands, and its exports as a trie or as a symbol table. */
export function buildMachO(
  { cpu, exports }: ForeignLibrary,
  { fileType = 6, exportsAs = 'trie' }: { fileType?: number; exportsAs?: 'trie' | 'symbols' } = {},
): Buffer {
  const commandsSize = 48 + 56 + 40 + 72 + 24;
  const linkEdit = new Layout(32 + commandsSize);
  const tables = exportsAs === 'trie' ? linkEditTrie(linkEdit, exports) : linkEditSymbols(linkEdit, exports);
  const body = linkEdit.bytes();
  const size = 32 + commandsSize + body.length;
  const commands = Buffer.concat([
    pathCommand(0xd, 48, 24, '@rpath/libplugin.dylib'),
    pathCommand(0xc, 56, 24, '/usr/lib/libSystem.B.dylib'),
    pathCommand(0x8000_001c, 40, 12, '@loader_path/lib'),
    segmentCommand(size),
    tables,
  ]);
  const header = words([0xfeed_facf, cpu, 0, fileType, 5, commandsSize, 0, 0]);
  return Buffer.concat([header, commands, body]);
}

/** Several macOS libraries in one file; its own header is big-endian. */
export function buildUniversal(parts: readonly (ForeignLibrary & { readonly file: Buffer })[]): Buffer {
  const header = Buffer.alloc(0x100);
  header.writeUInt32BE(0xcafe_babe, 0);
  header.writeUInt32BE(parts.length, 4);
  let offset = header.length;
  parts.forEach(({ cpu, file }, index) => {
    [cpu, 0, offset, file.length, 0].forEach((word, at) =>
      header.writeUInt32BE(word, 8 + index * 20 + at * 4),
    );
    offset += file.length;
  });
  return Buffer.concat([header, ...parts.map(({ file }) => file)]);
}

function linkEditTrie(layout: Layout, names: readonly string[]): Buffer {
  const edges = names.map((name) => Buffer.from(`_${name}\0`));
  const rootSize = 2 + edges.reduce((sum, edge) => sum + edge.length + 1, 0);
  const leafSize = 4;
  const root = edges.map((edge, index) => Buffer.concat([edge, Buffer.from([rootSize + index * leafSize])]));
  // A leaf: two bytes of flags and address follow, then no edges.
  const leaves = names.map(() => Buffer.from([2, 0, 0x10, 0]));
  const trie = Buffer.concat([Buffer.from([0, names.length]), ...root, ...leaves]);
  const offset = layout.append(trie);
  return Buffer.concat([words([0x8000_0033, 16, offset, trie.length]), words([0x1b, 8])]);
}

function linkEditSymbols(layout: Layout, names: readonly string[]): Buffer {
  const texts = Buffer.from(`\0${['hidden', ...names].map((name) => `_${name}\0`).join('')}`);
  const symbols = ['hidden', ...names].map((name, index) => {
    const entry = Buffer.alloc(16);
    entry.writeUInt32LE(texts.indexOf(`_${name}\0`), 0);
    entry.writeUInt8(index === 0 ? 0x0e : 0x0f, 4);
    return entry;
  });
  const offset = layout.append(Buffer.concat(symbols));
  return words([0x2, 24, offset, symbols.length, layout.append(texts), texts.length]);
}

function pathCommand(command: number, size: number, textOffset: number, text: string): Buffer {
  const bytes = Buffer.alloc(size);
  words([command, size, textOffset]).copy(bytes);
  bytes.write(text, textOffset, 'latin1');
  return bytes;
}

function segmentCommand(fileSize: number): Buffer {
  const bytes = Buffer.alloc(72);
  words([0x19, 72]).copy(bytes);
  bytes.write('__TEXT', 8, 'latin1');
  bytes.writeBigUInt64LE(BigInt(fileSize), 48);
  return bytes;
}

function words(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32LE(value, index * 4));
  return bytes;
}

/** Pieces placed one after the other; each is known by its address. */
class Layout {
  private readonly pieces: Buffer[] = [];

  constructor(private end: number) {}

  append(piece: Buffer): number {
    const address = this.end;
    this.pieces.push(piece);
    this.end += piece.length;
    return address;
  }

  text(value: string): number {
    return this.append(Buffer.from(`${value}\0`));
  }

  words(values: readonly number[]): number {
    return this.append(words(values));
  }

  bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }
}
