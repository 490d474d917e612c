import { posix } from 'node:path';
import { LIMITS } from './facts.js';
import type { DebugReader } from './debug-reader.js';
import type { LineUnit } from './line-program.js';

/** Sections that hold names of files; null when the library has none. */
export interface NameSections {
  readonly strings: Buffer | null;
  readonly lineStrings: Buffer | null;
}

/** What an entry of a table holds, and how it is written (DWARF 5, 6.2.4.1 and 7.5.6). */
const CONTENT = { path: 1, directory: 2 } as const;
const FORM = {
  block: 0x09,
  data1: 0x0b,
  data2: 0x05,
  data4: 0x06,
  data8: 0x07,
  data16: 0x1e,
  string: 0x08,
  strp: 0x0e,
  udata: 0x0f,
  lineStrp: 0x1f,
} as const;
const ENTRIES_MAX = 65_536;

/** A file or a directory. */
interface Entry {
  readonly path: string;
  readonly directory: number;
}

/**
 * The path of a file of a unit, as the compiler recorded it.
 * @returns null when the table does not have the file
 * @throws UnreadableLibrary
 */
export function fileNameOf(unit: LineUnit, file: number, names: NameSections): string | null {
  const tables = unit.tables.at(unit.tables.position);
  if (unit.version >= 5) {
    const directories = readEntries(tables, unit.is64, names);
    const entry = readEntries(tables, unit.is64, names)[file];
    return entry === undefined ? null : joined([directories[0], directories[entry.directory]], entry.path);
  }
  const directories = [undefined, ...readNames(tables)];
  for (let index = 1; index < ENTRIES_MAX; index += 1) {
    const path = tables.text();
    if (path === '') return null;
    const directory = tables.uleb();
    // Time and size of the file.
    tables.uleb();
    tables.uleb();
    if (index === file) return joined([directories[directory]], path);
  }
  return null;
}

function readNames(tables: DebugReader): Entry[] {
  const names: Entry[] = [];
  for (let path = tables.text(); path !== '' && names.length < ENTRIES_MAX; path = tables.text())
    names.push({ path, directory: 0 });
  return names;
}

function readEntries(tables: DebugReader, is64: boolean, names: NameSections): Entry[] {
  const formats = Array.from({ length: tables.u8() }, () => ({
    content: tables.uleb(),
    form: tables.uleb(),
  }));
  const count = Math.min(tables.uleb(), formats.length === 0 ? 0 : ENTRIES_MAX);
  return Array.from({ length: count }, () => {
    const entry = { path: '', directory: 0 };
    for (const { content, form } of formats) {
      const value = readForm(tables, form, is64, names);
      if (content === CONTENT.path) entry.path = String(value);
      else if (content === CONTENT.directory) entry.directory = Number(value);
    }
    return entry;
  });
}

function readForm(tables: DebugReader, form: number, is64: boolean, names: NameSections): string | number {
  switch (form) {
    case FORM.string:
      return tables.text();
    case FORM.strp:
      return textIn(names.strings, tables.offset(is64));
    case FORM.lineStrp:
      return textIn(names.lineStrings, tables.offset(is64));
    case FORM.udata:
      return tables.uleb();
    case FORM.data1:
      return tables.u8();
    case FORM.data2:
      return tables.u16();
    case FORM.data4:
      return tables.u32();
    case FORM.data8:
      return tables.u64();
    case FORM.data16:
      tables.skip(16);
      return 0;
    case FORM.block:
      tables.skip(tables.uleb());
      return 0;
    default:
      // The length of an unknown form is unknown.
      throw new Error(`unknown form ${form}`);
  }
}

function textIn(section: Buffer | null, offset: number): string {
  if (section === null || offset >= section.length) return '';
  const end = section.indexOf(0, offset);
  return section.toString(
    'utf8',
    offset,
    Math.min(end < 0 ? section.length : end, offset + LIMITS.nameBytes),
  );
}

function joined(directories: readonly (Entry | undefined)[], path: string): string {
  return directories
    .map((entry) => entry?.path ?? '')
    .concat(path)
    .reduce((before, next) => (posix.isAbsolute(next) ? next : posix.join(before, next)), '');
}
