/**
 * Migrates the first dialect to version 1. The first dialect has plugin_discovery, plugin_type, dashboard,
 * and endpoints whose keys are their paths.
 */
import type { YAMLMap } from 'yaml';
import type { EditedDocument, Entry } from './edited-document.js';
import { migrateEndpoints } from './first-dialect-endpoints.js';
import { isName, nameFrom } from './names.js';
import { VERSION_KEY } from './version.js';

/** Top-level keys that version 1 also has. */
const KEPT = new Set([
  VERSION_KEY,
  'name',
  'version',
  'description',
  'server',
  'logging',
  'plugins',
  'endpoints',
  'alerts',
  'environments',
]);
const PLUGIN_TYPES = new Set(['external', 'builtin', 'marketplace']);
/**
 * Plugin keys of the first dialect. Includes keys that only version 1 has, because a file may be half
 * migrated by hand.
 */
const PLUGIN_KEYS = new Set([
  ...['type', 'path', 'version', 'enabled', 'config'],
  ...['critical', 'priority', 'isolation', 'trusted', 'sandbox', 'permissions', 'load', 'instances'],
  ...['timeouts', 'circuit_breaker', 'retry', 'limits', 'recycle', 'restart', 'health', 'quarantine', 'swap'],
]);
const SERVER_KEYS = new Set(['host', 'port', 'body_limit', 'shutdown', 'reload']);
const LEVELS = new Set(['trace', 'debug', 'info', 'warn', 'error', 'silent']);

export function migrateFirstDialect(file: EditedDocument): void {
  const { root } = file;
  if (root === null) return;
  root.flow = false;
  migrateDashboard(file, root);
  const names = migratePlugins(file, root);
  migrateDiscovery(file, root);
  migrateEndpoints(file, root, { names, others: discoversPlugins(file, root) });
  for (const entry of file.entries(root)) {
    if (['name', 'version', 'description'].includes(entry.key)) asText(file, root, entry);
    if (entry.key === 'server') keepKeys(file, entry, SERVER_KEYS);
    if (entry.key === 'logging') migrateLogging(file, entry);
    if (!KEPT.has(entry.key) && entry.key !== 'admin')
      file.commentOut(root, entry, 'version 1 has no such key', next(file, root, entry));
  }
}

/** The entry above which the comment for a removed entry can be placed. */
function next(file: EditedDocument, root: YAMLMap, entry: Entry): Entry | null {
  const entries = file.entries(root);
  return entries[entries.findIndex(({ pair }) => pair === entry.pair) + 1] ?? null;
}

/** Some readers took `version: 1.0` for a number; version 1 wants a text. */
function asText(file: EditedDocument, root: YAMLMap, entry: Entry): void {
  const value = file.value(entry.value);
  if (typeof value === 'string' && !(value === '' && entry.key === 'name')) return;
  const source = (entry.value as { source?: string } | null)?.source;
  if (typeof value === 'number' || typeof value === 'boolean') file.setValue(entry, source ?? String(value));
  else file.delete(root, entry);
}

function keepKeys(file: EditedDocument, entry: Entry, keys: ReadonlySet<string>): void {
  const map = file.mapping(entry.value);
  if (map === null) return;
  for (const inner of file.entries(map)) {
    if (!keys.has(inner.key)) file.commentOut(map, inner, 'version 1 has no such key', entry);
  }
}

function migrateLogging(file: EditedDocument, entry: Entry): void {
  keepKeys(file, entry, new Set(['level']));
  const map = file.mapping(entry.value);
  const level = map === null ? undefined : file.entry(map, 'level');
  if (map === null || level === undefined) return;
  const value = file.text(level.value).toLowerCase();
  if (!LEVELS.has(value)) file.commentOut(map, level, 'version 1 has no such level', entry);
  else if (value !== file.value(level.value)) file.setValue(level, value);
}

/** The address of the dashboard becomes the address of the admin API. */
function migrateDashboard(file: EditedDocument, root: YAMLMap): void {
  const dashboard = file.entry(root, 'dashboard');
  if (dashboard === undefined) return;
  const map = file.mapping(dashboard.value);
  if (map === null || file.entry(root, 'admin') !== undefined) return;
  for (const inner of file.entries(map)) {
    if (inner.key !== 'enabled' && inner.key !== 'port')
      file.commentOut(map, inner, 'the admin API has no such key', dashboard);
  }
  const serverMap = file.mapping(file.entry(root, 'server')?.value);
  const serverPort = serverMap === null ? undefined : file.entry(serverMap, 'port');
  const port = file.entry(map, 'port');
  if (port !== undefined && file.value(port.value) === (file.value(serverPort?.value) ?? 8080))
    file.commentOut(map, port, 'the server uses this port', dashboard);
  file.rename(dashboard, 'admin');
}

/** @returns the new names of plugins, by their old names */
function migratePlugins(file: EditedDocument, root: YAMLMap): Map<string, string> {
  const names = new Map<string, string>();
  const plugins = file.entry(root, 'plugins');
  const map = plugins === undefined ? null : file.mapping(plugins.value);
  if (plugins === undefined || map === null) return names;
  const taken = new Set(file.entries(map).map(({ key }) => key));
  for (const entry of file.entries(map)) {
    const plugin = file.mapping(entry.value);
    if (entry.key === 'auto_discover' || plugin === null) continue;
    map.flow = false;
    if (!migratePlugin(file, entry, plugin)) {
      file.commentOut(map, entry, 'an external plugin needs a path', plugins);
      continue;
    }
    const name = isName(entry.key) ? entry.key : nameFrom(entry.key, taken);
    if (name !== entry.key) {
      file.note(file.lineOf(entry), `${entry.key}: the plugin is now called ${name}`);
      file.rename(entry, name);
    }
    names.set(entry.key, name);
  }
  return names;
}

/** @returns false for a plugin that version 1 does not support */
function migratePlugin(file: EditedDocument, entry: Entry, plugin: YAMLMap): boolean {
  const former = file.entry(plugin, 'plugin_type');
  if (former !== undefined) {
    const type = file.text(former.value).toLowerCase();
    if (!PLUGIN_TYPES.has(type) || file.entry(plugin, 'type') !== undefined)
      file.commentOut(plugin, former, 'version 1 has no such type', entry);
    else {
      file.rename(former, 'type');
      if (type !== file.value(former.value)) file.setValue(former, type);
    }
  }
  for (const inner of file.entries(plugin)) {
    if (!PLUGIN_KEYS.has(inner.key)) file.commentOut(plugin, inner, 'version 1 has no such key', entry);
  }
  const path = file.entry(plugin, 'path');
  let type = file.value(file.entry(plugin, 'type')?.value);
  if (type === null && path === undefined) {
    plugin.add(file.document.createPair('type', 'builtin'));
    type = 'builtin';
  }
  if (type === 'external' && path === undefined) return false;
  if (path !== undefined && type !== null && type !== 'external')
    file.commentOut(plugin, path, `a ${type as string} plugin has no path`, entry);
  const version = file.entry(plugin, 'version');
  if (version !== undefined && type !== 'marketplace')
    file.commentOut(plugin, version, 'only a marketplace plugin has a version', entry);
  return true;
}

/** Whether endpoints may name plugins without an entry. */
function discoversPlugins(file: EditedDocument, root: YAMLMap): boolean {
  const plugins = file.mapping(file.entry(root, 'plugins')?.value);
  const found = plugins === null ? undefined : file.entry(plugins, 'auto_discover');
  const map = file.mapping(found?.value);
  return map !== null && file.value(file.entry(map, 'enabled')?.value) !== false;
}

function migrateDiscovery(file: EditedDocument, root: YAMLMap): void {
  const discovery = file.entry(root, 'plugin_discovery');
  const map = discovery === undefined ? null : file.mapping(discovery.value);
  if (discovery === undefined || map === null) return;
  const plugins = file.mappingAt(root, 'plugins');
  if (plugins === null || file.entry(plugins, 'auto_discover') !== undefined) return;
  const above = file.entry(root, 'plugins') ?? null;
  for (const inner of file.entries(map)) {
    if (inner.key === 'enabled' || inner.key === 'directories') continue;
    if (inner.key === 'recursive' && file.value(inner.value) === false) file.delete(map, inner);
    else if (inner.key === 'recursive')
      file.commentOut(map, inner, 'subdirectories are not searched; list each of them', above);
    else file.commentOut(map, inner, 'version 1 has no such key', above);
  }
  const directories = file.entry(map, 'directories');
  if (directories !== undefined) onlyOnce(file, directories);
  file.detach(root, discovery.pair);
  plugins.flow = false;
  file.rename(discovery, 'auto_discover');
  (plugins.items as unknown[]).push(discovery.pair);
}

function onlyOnce(file: EditedDocument, directories: Entry): void {
  const listed = file.value(directories.value);
  if (!Array.isArray(listed)) return;
  const distinct = [
    ...new Map(
      listed.map((path) => [
        JSON.stringify(path)
          .slice(1, -1)
          .replace(/(^\.\/|\/+$)/g, ''),
        path,
      ]),
    ).values(),
  ];
  if (distinct.length < listed.length) file.setValue(directories, distinct);
}
