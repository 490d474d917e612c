import { resolve } from 'node:path';
import type { CheckedFile } from '../schema/checked-file.js';
import { limitContradictions } from './limits.js';
import { permissionContradictions } from './permissions.js';
import { below, type Pointer } from '../source/pointer.js';
import type { Finding } from '../source/problems.js';
import { pluginEntries } from '../schema/plugin-entries.js';
import type { RawPlugin } from '../schema/raw.js';
import { swapContradictions } from './swap.js';

/** Reports plugins that cannot run as the file describes them. */
export function pluginContradictions(file: CheckedFile): void {
  if (file.isInvalid('/plugins')) return;
  for (const [name, plugin] of pluginEntries(file.raw.plugins)) {
    const pointer = below('/plugins', name);
    if (!file.isBroken(pointer)) checkPlugin(file, pointer, plugin);
  }
  if (!file.isBroken('/plugins/auto_discover')) repeatedDirectories(file);
}

function repeatedDirectories(file: CheckedFile): void {
  const seen = new Map<string, number>();
  const { directories } = file.raw.plugins.auto_discover;
  directories.forEach((directory, index) => {
    const absolute = resolve(file.directory, directory);
    const first = seen.get(absolute);
    if (first === undefined) {
      seen.set(absolute, index);
      return;
    }
    const pointer = below('/plugins/auto_discover/directories', index);
    const message = `the directory ${file.show(pointer, directory)} is already in the list`;
    file.reject(pointer, { message });
  });
}

function checkPlugin(file: CheckedFile, pointer: Pointer, plugin: RawPlugin): void {
  const reject = (key: string, finding: Finding): void => file.reject(below(pointer, key), finding);
  const type = plugin.type ?? (plugin.path === undefined ? undefined : 'external');
  if (type === undefined)
    file.rejectEntry(pointer, { message: 'neither "path" nor "type" says where the plugin is' });
  if (type === 'external' && plugin.path === undefined) {
    file.rejectEntry(pointer, {
      message: 'the key "path" is missing',
      hint: 'an external plugin is a library file',
    });
  }
  if (type !== 'external' && type !== undefined && plugin.path !== undefined) {
    reject('path', { message: `a ${type} plugin has no path`, hint: 'remove it, or set type to "external"' });
  }
  if (type !== 'marketplace' && plugin.version !== undefined) {
    reject('version', { message: 'only a marketplace plugin has a version', hint: 'remove it' });
  }
  checkIsolation(plugin, file.isGiven(below(pointer, 'sandbox')), reject);
  permissionContradictions(file, below(pointer, 'permissions'), plugin.permissions);
  limitContradictions(file, pointer, plugin);
  swapContradictions(file, pointer, plugin);
}

function checkIsolation(
  plugin: RawPlugin,
  sandboxGiven: boolean,
  reject: (key: string, finding: Finding) => void,
): void {
  if (plugin.isolation !== 'in-process') return;
  if (!plugin.trusted) {
    reject('isolation', {
      message: 'in-process needs trusted: true',
      hint: 'a crash of an in-process plugin ends the server',
    });
  }
  if (plugin.instances !== 1) {
    reject('instances', { message: 'an in-process plugin has one instance', hint: 'remove it' });
  }
  if (sandboxGiven && plugin.sandbox !== 'off') {
    const message = 'an in-process plugin has no sandbox';
    reject('sandbox', { message, hint: 'remove it, or set isolation to "process"' });
  }
}
