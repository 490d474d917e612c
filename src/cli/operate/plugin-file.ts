import { dirname, isAbsolute, relative, sep } from 'node:path';
import { editPlugin, type PluginEdit } from '../../config/edit/edit.js';
import { readText } from '../../config/source/file.js';
import type { BackworksConfig } from '../../config/types.js';
import { writeText } from '../../config/edit/write.js';

/** The change of the configuration file that makes an action permanent. */
export interface FileChange {
  readonly file: string;
  readonly what: string;
  readonly written: boolean;
}

/**
 * Changes a plugin's entry in the configuration file, or only describes the change.
 * @returns null when there is no file, or the file needs no change
 * @throws BackworksError BW_CONFIG_SYNTAX, BW_CONFIG_WRITE
 */
export async function writeChange(
  { file }: BackworksConfig,
  name: string,
  edit: PluginEdit,
  write: boolean,
): Promise<FileChange | null> {
  if (file === null) return null;
  const shown = inFile(file, edit);
  const before = await readText(file);
  const after = editPlugin(before, name, shown);
  if (after === before) return null;
  if (write) await writeText(file, after);
  return { file, what: describeEdit(name, shown), written: write };
}

/** Paths become relative to the file where that is shorter. */
function inFile(file: string, edit: PluginEdit): PluginEdit {
  if (!('path' in edit) || edit.path === null) return edit;
  const way = relative(dirname(file), edit.path);
  const outside = way.startsWith(`..${sep}`) || isAbsolute(way);
  return { ...edit, path: outside ? edit.path : `./${way.replaceAll(sep, '/')}` };
}

function describeEdit(name: string, edit: PluginEdit): string {
  const entry = `plugins.${name}`;
  switch (edit.kind) {
    case 'add':
      return `${entry}: { path: ${edit.path} }`;
    case 'remove':
      return `${entry} removed`;
    case 'enable':
      return `${entry}.enabled: true`;
    case 'disable':
      return edit.path === null
        ? `${entry}.enabled: false`
        : `${entry}: { path: ${edit.path}, enabled: false }`;
  }
}
