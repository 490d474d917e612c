import { isMapping } from '../source/merge.js';
import { below, type Pointer } from '../source/pointer.js';
import type { JsonValue } from '../types.js';

/** The key with the version of the file. `version` is the version of the service. */
export const VERSION_KEY = 'config_version';
/** The version that this program reads. */
export const CURRENT_VERSION = 1;

/** The version of a file, and the key that shows it. */
export interface FileVersion {
  readonly version: number;
  readonly pointer: Pointer;
}

/**
 * The version of a file: the declared one, else 0 when the file has a key of the first dialect, else the
 * current version. Null when the declared version is invalid.
 */
export function versionOf(file: JsonValue): FileVersion | null {
  if (!isMapping(file)) return { version: CURRENT_VERSION, pointer: '' };
  const said = file[VERSION_KEY];
  const pointer = below('', VERSION_KEY);
  if (said !== undefined) {
    return Number.isSafeInteger(said) && Number(said) >= 0 ? { version: Number(said), pointer } : null;
  }
  const former = firstDialect(file);
  return former === null ? { version: CURRENT_VERSION, pointer: '' } : { version: 0, pointer: former };
}

/** The first key that only the first dialect has. */
function firstDialect(file: Readonly<Record<string, JsonValue>>): Pointer | null {
  for (const key of ['plugin_discovery', 'dashboard']) if (Object.hasOwn(file, key)) return below('', key);
  for (const [name, plugin] of entriesOf(file['plugins'])) {
    if (isMapping(plugin) && Object.hasOwn(plugin, 'plugin_type'))
      return below(below(below('', 'plugins'), name), 'plugin_type');
  }
  for (const [name, endpoint] of entriesOf(file['endpoints'])) {
    const pointer = below(below('', 'endpoints'), name);
    if (name.startsWith('/')) return pointer;
    if (!isMapping(endpoint)) continue;
    const key = ['runtime', 'method', 'mode'].find((former) => Object.hasOwn(endpoint, former));
    if (key !== undefined) return below(pointer, key);
  }
  return null;
}

const entriesOf = (value: JsonValue | undefined): [string, JsonValue][] =>
  isMapping(value) ? Object.entries(value) : [];
