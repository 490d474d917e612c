import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ByteSource } from './byte-source.js';
import { DebugReader } from './debug-reader.js';
import type { ElfHeader } from './elf-header.js';
import { type ElfSection, sectionBytes } from './elf-sections.js';
import { fileNameOf, type NameSections } from './line-files.js';
import { findRows, type LineUnit, readUnit } from './line-program.js';

/** A line of source code, as debug information names it. */
export interface SourceLine {
  readonly file: string;
  readonly line: number;
}

/**
 * Finds source lines in .debug_line (DWARF 2 to 5), the table that compilers write with -g. We have our own
 * reader because the file may be hostile and the usual tools are not built for that: every read is checked,
 * and the work is cut into short turns.
 * @throws UnreadableLibrary (as a rejection)
 */
export async function linesAt(
  source: ByteSource,
  header: ElfHeader,
  sections: readonly ElfSection[],
  offsets: readonly number[],
  isLate: () => boolean,
): Promise<Map<number, SourceLine>> {
  const lines = new Map<number, SourceLine>();
  const bytes = async (name: string): Promise<Buffer | null> => {
    const section = sections.find((candidate) => candidate.name === name);
    return section === undefined ? null : sectionBytes(source, header, section);
  };
  const table = await bytes('.debug_line');
  if (table === null) return lines;
  let names: NameSections | null = null;
  const reader = new DebugReader(table, header.littleEndian, header.is64 ? 8 : 4);
  const left = new Set(offsets);
  while (left.size > 0 && reader.position < table.length && !isLate()) {
    const unit = readUnit(reader);
    if (unit === null) break;
    for (const row of await findRows(unit, left, isLate)) {
      names ??= { strings: await bytes('.debug_str'), lineStrings: await bytes('.debug_line_str') };
      const file = fileNameOf(unit, row.file, names);
      if (file !== null) lines.set(row.offset, { file, line: row.line });
      left.delete(row.offset);
    }
    reader.position = unit.end;
    await turn(unit);
  }
  return lines;
}

let bytesInTurn = 0;
const BYTES_PER_TURN = 16 * 1024;

/** Lets the event loop run after some work. */
async function turn({ begin, end }: LineUnit): Promise<void> {
  bytesInTurn += end - begin;
  if (bytesInTurn < BYTES_PER_TURN) return;
  bytesInTurn = 0;
  await nextTurn();
}
