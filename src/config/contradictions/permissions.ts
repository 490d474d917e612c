import { parse, resolve } from 'node:path';
import type { CheckedFile } from '../schema/checked-file.js';
import { below, type Pointer } from '../source/pointer.js';
import type { Permissions } from '../types.js';

/** Includes the terminating NUL, as in Linux's PATH_MAX. */
const PATH_BYTES_MAX = 4096;

const LOADER = 'it changes how libraries are loaded';
const ALLOCATOR = 'it changes how memory is allocated';

/** Prefixes of environment variables that no plugin can get, in capitals, each with the reason. */
const RESERVED: readonly (readonly [beginning: string, reason: string])[] = [
  ['LD_', LOADER],
  ['DYLD_', LOADER],
  ['GLIBC_TUNABLES', ALLOCATOR],
  ['MALLOC_', ALLOCATOR],
  ['NODE_', 'it is a setting of the server itself'],
  ['BACKWORKS_', 'it is a setting of the server itself'],
];

/** Reports permissions that cannot be granted to any plugin. */
export function permissionContradictions(
  file: CheckedFile,
  pointer: Pointer,
  { filesystem, network, env }: Permissions,
): void {
  for (const access of ['read', 'write'] as const) {
    const list = below(below(pointer, 'filesystem'), access);
    filesystem[access].forEach((path, index) => checkPath(file, below(list, index), path, access));
  }
  const origins = below(below(pointer, 'network'), 'fetch');
  network.fetch.forEach((origin, index) => checkOrigin(file, below(origins, index), origin));
  env.forEach((name, index) => checkVariable(file, below(below(pointer, 'env'), index), name));
}

function checkPath(file: CheckedFile, pointer: Pointer, path: string, access: 'read' | 'write'): void {
  const absolute = resolve(file.directory, path);
  const found = file.show(pointer, path);
  if (path.includes('\0')) {
    file.reject(pointer, { expected: 'a path without NUL', found });
  } else if (Buffer.byteLength(absolute) >= PATH_BYTES_MAX) {
    file.reject(pointer, { expected: `a path of less than ${PATH_BYTES_MAX} bytes`, found });
  } else if (access === 'write' && absolute === parse(absolute).root) {
    const hint = 'name the directories it needs';
    file.reject(pointer, { message: `${found} would let the plugin change every file`, hint });
  }
}

function checkOrigin(file: CheckedFile, pointer: Pointer, text: string): void {
  if (isOrigin(text)) return;
  const expected = 'an http or https origin without a path, such as "https://api.example.com"';
  file.reject(pointer, { expected, found: file.show(pointer, text) });
}

function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, pathname, search, hash } = new URL(text);
  const isBare = username === '' && password === '' && pathname === '/' && search === '' && hash === '';
  return isBare && (protocol === 'http:' || protocol === 'https:');
}

function checkVariable(file: CheckedFile, pointer: Pointer, name: string): void {
  const row = RESERVED.find(([beginning]) => name.toUpperCase().startsWith(beginning));
  if (row === undefined) return;
  const message = `${file.show(pointer, name)} cannot be granted: ${row[1]}`;
  file.reject(pointer, { message, hint: 'remove it' });
}
