import { segments } from '../../config/source/pointer.js';
import { AS_IT_IS } from '../../config/source/written.js';
import type { PluginConfig } from '../../config/types.js';
import type { PluginEntry } from '../../plugins/plugin-entry.js';
import type { RegistryEntry } from '../entry/registry-entry.js';
import { settingAt, type SettingEffect } from './setting-keys.js';
import { changedPaths } from './value-changes.js';

/** A plugin before the reload. */
export interface CurrentPlugin {
  readonly entry: PluginEntry;
  /** SHA-256 of the library in use; null if none is loaded. */
  readonly digest: string | null;
  /** See Dependencies.digest; null if no library is loaded. */
  readonly dependencies: string | null;
  /** True if the plugin is loaded, in its own processes or in the server's. */
  readonly running: boolean;
  /** True if the plugin is lazy and has not been used yet. */
  readonly waiting: boolean;
  /** True if the plugin can take a new configuration without new processes. */
  readonly reconfigurable: boolean;
}

/** A plugin after the reload. */
export interface NextPlugin {
  readonly entry: PluginEntry;
  /** SHA-256 of the library file; null if the file cannot be read or the plugin is disabled. */
  readonly digest: string | null;
  /** See Dependencies.digest; null if it is not known. */
  readonly dependencies: string | null;
  /** False if the plugin starts on first use. */
  readonly starts: boolean;
}

/** What a reload does to a plugin. docs/reload.md explains each action. */
export type PluginAction =
  /** The plugin is started; it was not running. */
  | 'load'
  /** The plugin is checked, and starts on first use. */
  | 'postpone'
  /** The plugin is stopped; a disabled entry stays listed. */
  | 'unload'
  /** Nothing changes. */
  | 'keep'
  /** Limits and policies of the server change; the processes stay. */
  | 'adjust'
  /** The plugin gets its new configuration through reconfigure(); its processes stay. */
  | 'reconfigure'
  /** New processes replace the plugin's processes. */
  | 'swap'
  /** The plugin runs in the server's process, where code cannot be unloaded; the change waits for a restart. */
  | 'needs_restart';

/** The planned change of one plugin. */
export interface PluginChange {
  readonly name: string;
  readonly action: PluginAction;
  /** Changed keys below `plugins.NAME`, as in the file; `library` stands for the content of the library file. */
  readonly changed: readonly string[];
}

export interface PluginPlan {
  /** In the order of the next configuration; removed plugins come last. */
  readonly changes: readonly PluginChange[];
  /** True if the order of the remaining plugins changes. It matters among plugins of equal priority. */
  readonly reordered: boolean;
}

export function currentPlugin({ plan: entry, digest, plugin, state }: RegistryEntry): CurrentPlugin {
  return {
    entry,
    digest,
    dependencies: plugin?.dependencies ?? null,
    running: plugin !== null,
    waiting: state === 'lazy',
    reconfigurable: plugin?.reconfigurable === true,
  };
}

/** Plans the changes from the current plugins to the next ones. Nothing is started or stopped. */
export function planPlugins(current: readonly CurrentPlugin[], next: readonly NextPlugin[]): PluginPlan {
  const known = new Map(current.map((plugin) => [plugin.entry.name, plugin]));
  const wanted = new Set(next.map(({ entry }) => entry.name));
  const stays = current.map(({ entry }) => entry.name).filter((name) => wanted.has(name));
  const order = next.map(({ entry }) => entry.name).filter((name) => known.has(name));
  const gone = current.filter(({ entry }) => !wanted.has(entry.name));
  return {
    changes: [
      ...next.map((plugin) => planPlugin(known.get(plugin.entry.name) ?? null, plugin)),
      ...gone.map(({ entry: { name } }): PluginChange => ({ name, action: 'unload', changed: ['removed'] })),
    ],
    reordered: stays.some((name, index) => order[index] !== name),
  };
}

function planPlugin(current: CurrentPlugin | null, next: NextPlugin): PluginChange {
  const { entry, starts } = next;
  const { name, config } = entry;
  const begin = starts ? 'load' : 'postpone';
  if (current === null) return { name, action: config.enabled ? begin : 'adjust', changed: ['added'] };
  const before = current.entry.config;
  const changed = changesOf(before, config);
  const isSame = (['digest', 'dependencies'] as const).every(
    (key) => next[key] === null || current[key] === null || next[key] === current[key],
  );
  if (!isSame && !changed.some(({ key }) => key === 'path')) {
    changed.push({ key: 'library', effect: 'swap' });
  }
  if (current.entry.origin !== entry.origin) changed.push({ key: 'origin', effect: 'adjust' });
  const keys = changed.map(({ key }) => key);
  const change = (action: PluginAction): PluginChange => ({ name, action, changed: keys });

  if (before.enabled !== config.enabled) keys.unshift('enabled');
  if (!config.enabled)
    return change(current.running || current.waiting ? 'unload' : keys.length > 0 ? 'adjust' : 'keep');
  if (current.waiting && starts) return change('load');
  if (keys.length === 0) return change('keep');
  if (!current.running) return change(begin);
  const effect = strongestEffect(changed, current.reconfigurable);
  const isFixed = before.isolation === 'in-process' && config.isolation === 'in-process';
  return change(effect === 'swap' && isFixed ? 'needs_restart' : effect);
}

interface Change {
  readonly key: string;
  readonly effect: SettingEffect;
}

function changesOf(before: PluginConfig, after: PluginConfig): Change[] {
  const settings = ({ name, enabled, where, written, ...rest }: PluginConfig): object => {
    // The name is equal, `enabled` is compared separately, and the position in the file only matters for messages.
    void [name, enabled, where];
    return { ...rest, config: { config: rest.config, written } };
  };
  return changedPaths(settings(before), settings(after), new Set(['config'])).flatMap((path) => {
    const { key, effect } = settingAt(path);
    if (key !== 'config') return { key, effect };
    return changedConfig(before, after).map((at) => ({ key: at === '' ? key : `${key}.${at}`, effect }));
  });
}

/** Paths at which two `config:` blocks differ. Numbers are compared digit by digit, as written in the file. */
function changedConfig(before: PluginConfig, after: PluginConfig): string[] {
  const { written: from = AS_IT_IS } = before;
  const { written: to = AS_IT_IS } = after;
  const paths = new Set([from, to].flatMap(({ numbers, keys }) => Object.keys({ ...numbers, ...keys })));
  const rewritten = [...paths].filter(
    (path) => from.numbers[path] !== to.numbers[path] || from.keys[path]?.join() !== to.keys[path]?.join(),
  );
  const changed = changedPaths(before.config, after.config);
  const isWithin = (path: string): boolean =>
    changed.some((other) => other === '' || path === other || path.startsWith(`${other}.`));
  const others = rewritten.map((path) => segments(path).join('.')).filter((path) => !isWithin(path));
  return [...changed, ...others];
}

function strongestEffect(changes: readonly Change[], reconfigurable: boolean): SettingEffect {
  const effects = new Set(changes.map(({ effect }) => effect));
  if (effects.has('swap')) return 'swap';
  if (effects.has('reconfigure')) return reconfigurable ? 'reconfigure' : 'swap';
  return 'adjust';
}
