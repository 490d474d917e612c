import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { ByteSource } from './byte-source.js';
import { readElfHeader } from './elf-header.js';
import { readSections } from './elf-sections.js';

const ELF = 0x7f45_4c46;
const NAMES: readonly string[] = ['.debug_info', '.zdebug_info'];

/**
 * Whether an ELF file has debug information, so that a post-mortem can name files and lines. Other formats keep it in
 * separate files.
 * @returns null for another format, or when the file cannot be read; never rejects
 */
export async function hasDebugInformation(path: string): Promise<boolean | null> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => null);
  if (file === null) return null;
  try {
    const stats = await file.stat();
    return stats.isFile() ? search(ByteSource.ofFile(file.fd, stats.size)) : null;
  } catch {
    return null;
  } finally {
    await file.close();
  }
}

function search(source: ByteSource): boolean | null {
  if (source.range(0, 4, 'start', false).u32(0) !== ELF) return null;
  return readSections(source, readElfHeader(source)).some(({ name }) => NAMES.includes(name));
}
