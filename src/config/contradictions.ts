import { resolve } from 'node:path';
import type { CheckedFile } from './checked-file.js';
import { endpointContradictions } from './endpoint-contradictions.js';
import { withoutCredentials } from './explain.js';
import { below, isWithin, type Pointer, quote } from './pointer.js';
import type { Finding, ProblemReport } from './problems.js';
import { pluginEntries, type RawConfig, type RawPlugin } from './raw.js';
import type { Source } from './source.js';
import { formatSize, parseSize } from './units.js';

const MIB = 1024 ** 2;
/** A frame of the runner protocol carries no more. */
const REPLY_BYTES_MAX = 16 * MIB;
const BODY_BYTES_MAX = 1024 * MIB;

/** Reports what no schema can express. Entries the schema has already found wrong are left out. */
export function reportContradictions(
  source: Source,
  directory: string,
  broken: readonly Pointer[],
  report: ProblemReport,
): void {
  const isMisshapen = (pointer: Pointer): boolean =>
    broken.some((other) => isWithin(pointer, other)) || source.isUnresolved(pointer);
  if (isMisshapen('')) return;
  const file: CheckedFile = {
    raw: source.value as unknown as RawConfig,
    directory,
    isBroken: (pointer) =>
      isMisshapen(pointer) ||
      source.hasUnresolved(pointer) ||
      broken.some((other) => isWithin(other, pointer)),
    isMisshapen,
    show: (pointer, text) => source.origin(pointer) ?? quote(withoutCredentials(text)),
    reject: (pointer, finding) =>
      report.add('BW_CONFIG_INVALID', pointer, source.valuePosition(pointer), finding),
    rejectEntry: (pointer, finding) =>
      report.add('BW_CONFIG_INVALID', pointer, source.keyPosition(pointer), finding),
    isHidden: (pointer) => source.origin(pointer) !== undefined,
  };
  serverContradictions(file);
  pluginContradictions(file);
  endpointContradictions(file);
}

function serverContradictions(file: CheckedFile): void {
  if (!file.isBroken('/server')) {
    checkSize(file, '/server/body_limit', file.raw.server.body_limit, BODY_BYTES_MAX);
  }
  if (file.isBroken('/server') || file.isBroken('/admin')) return;
  const { server, admin } = file.raw;
  const sameHost = server.host === admin.host || [server.host, admin.host].some(isEveryAddress);
  if (admin.enabled && sameHost && admin.port === server.port && admin.port !== 0) {
    file.reject('/admin/port', { message: 'server.port already has this port', hint: 'give it another' });
  }
}

const isEveryAddress = (host: string): boolean => host === '0.0.0.0' || host === '::';

function pluginContradictions(file: CheckedFile): void {
  if (file.isMisshapen('/plugins')) return;
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
  checkIsolation(plugin, reject);
  const { reply, parsed_reply } = plugin.limits;
  checkSize(file, `${pointer}/limits/reply`, reply, REPLY_BYTES_MAX);
  checkSize(file, `${pointer}/limits/parsed_reply`, parsed_reply, REPLY_BYTES_MAX);
}

function checkIsolation(plugin: RawPlugin, reject: (key: string, finding: Finding) => void): void {
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
}

function checkSize(file: CheckedFile, pointer: Pointer, value: string | number, max: number): void {
  if (parseSize(value) <= max) return;
  const found = file.show(pointer, String(value));
  file.reject(pointer, { expected: `a size of at most ${formatSize(max)}`, found });
}
