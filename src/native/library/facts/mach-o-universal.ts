import type { ByteSource } from './byte-source.js';
import type { LibraryFacts } from './facts.js';
import { parseMachO } from './mach-o.js';
import { damaged } from './unreadable.js';

const MAGIC_64 = 0xcafe_babf;
/** More parts than there are architectures. A Java class has the same signature and a larger number here. */
export const PARTS_MAX = 32;

/**
 * Reads a universal ("fat") Mach-O file: several files of one architecture each, behind one header.
 * @throws UnreadableLibrary
 */
export function parseUniversalMachO(source: ByteSource): LibraryFacts {
  const header = source.range(0, 8, 'universal header', false);
  const is64 = header.u32(0) === MAGIC_64;
  const count = header.u32(4);
  if (count === 0 || count > PARTS_MAX) throw damaged(`it claims ${count} architectures`);
  const entrySize = is64 ? 32 : 20;
  const table = source.table(8, count, entrySize, 'universal header', false);
  const parts = Array.from({ length: count }, (_, index) => {
    const at = index * entrySize;
    const [offset, size] = is64
      ? [table.u64(at + 8), table.u64(at + 16)]
      : [table.u32(at + 8), table.u32(at + 12)];
    return parseMachO(source.part(offset, size));
  });
  return combine(parts);
}

function combine(parts: readonly LibraryFacts[]): LibraryFacts {
  const [first, ...others] = parts;
  if (first === undefined) throw damaged('it holds no architecture');
  const shared = [...first.exports].filter((name) => others.every(({ exports }) => exports.has(name)));
  const union = (texts: (part: LibraryFacts) => readonly string[]): string[] => [
    ...new Set(parts.flatMap(texts)),
  ];
  return {
    ...first,
    architectures: union((part) => part.architectures),
    exports: new Set(shared),
    needed: union((part) => part.needed),
    runpath: union((part) => part.runpath),
  };
}
