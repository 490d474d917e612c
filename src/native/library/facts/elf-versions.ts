import type { ByteRange } from './byte-range.js';
import type { ByteSource } from './byte-source.js';
import { DT, type DynamicSection } from './elf-dynamic.js';
import { atAddress, type ElfHeader } from './elf-header.js';
import { LIMITS } from './facts.js';
import { compareVersions } from './versions.js';
import { damaged } from './unreadable.js';

const TABLE_BYTES_MAX = 256 * 1024;
const GLIBC = /^GLIBC_(\d{1,4}(?:\.\d{1,4}){1,2})$/;
/** Version names that are not numbers, and the first glibc that has them. */
const NAMED_REQUIREMENTS: Readonly<Record<string, string>> = { GLIBC_ABI_DT_RELR: '2.36' };

/**
 * The highest glibc version in the version needs (.gnu.version_r): a list of files, each with a list of
 * the versions needed from it. Links only lead forward, so neither list can contain a cycle.
 * @throws UnreadableLibrary
 */
export function readGlibcFloor(
  source: ByteSource,
  header: ElfHeader,
  dynamic: DynamicSection,
): string | null {
  const address = dynamic.value(DT.versionNeeds);
  const count = dynamic.value(DT.versionNeedsCount) ?? 0;
  const { strings } = dynamic;
  if (address === null || strings === null) return null;
  const table = atAddress(source, header, address, TABLE_BYTES_MAX, 'version table');
  let floor: string | null = null;
  for (const nameOffset of versionNames(table, count)) {
    const version = glibcVersion(strings.name(nameOffset));
    if (version !== null && (floor === null || compareVersions(version, floor) > 0)) floor = version;
  }
  return floor;
}

function* versionNames(table: ByteRange, fileCount: number): Generator<number> {
  let entries = 0;
  let file = 0;
  for (let fileIndex = 0; fileIndex < fileCount; fileIndex++) {
    const versionCount = table.u16(file + 2);
    let version = file + table.u32(file + 8);
    for (let index = 0; index < versionCount; index++) {
      if (++entries > LIMITS.tableEntries) throw damaged('its version table is implausibly large');
      yield table.u32(version + 8);
      const next = table.u32(version + 12);
      if (next === 0) break;
      version += next;
    }
    const next = table.u32(file + 12);
    if (next === 0) return;
    file += next;
  }
}

function glibcVersion(name: string | null): string | null {
  if (name === null) return null;
  return (
    GLIBC.exec(name)?.[1] ??
    (Object.hasOwn(NAMED_REQUIREMENTS, name) ? (NAMED_REQUIREMENTS[name] ?? null) : null)
  );
}
