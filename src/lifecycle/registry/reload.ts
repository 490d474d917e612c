import { segments } from '../../config/source/pointer.js';
import { AS_IT_IS } from '../../config/source/written.js';
import type { PluginConfig } from '../../config/types.js';
import type { PluginEntry } from '../../plugins/plugin-entry.js';
import type { RegistryEntry } from '../entry/registry-entry.js';
import { settingAt, type SettingEffect } from './setting-keys.js';
import { changedPaths } from './value-changes.js';

/** A plugin as it is: what it runs under, and whether it runs. */
export interface CurrentPlugin {
  readonly entry: PluginEntry;
  /** SHA-256 of the library in use; null when nothing was loaded. */
  readonly digest: string | null;
  /** It has processes, or code in the server. */
  readonly running: boolean;
  /** It starts with its first use. */
  readonly waiting: boolean;
  /** It takes another configuration without another process. */
  readonly reconfigurable: boolean;
}

/** A plugin as it is to be. */
export interface NextPlugin {
  readonly entry: PluginEntry;
  /** SHA-256 of the file at its path; null when it cannot be read, or is not to be. */
  readonly digest: string | null;
  /** It is not left to its first use. */
  readonly starts: boolean;
}

/** What a reload does to a plugin. docs/reload.md explains each action. */
export type PluginAction =
  /** It is started; it did not run before. */
  | 'load'
  /** It is checked, and starts with its first use. */
  | 'postpone'
  /** It is ended; an entry that is disabled stays known. */
  | 'unload'
  /** Nothing that matters to it has changed. */
  | 'keep'
  /** Its guards change; its processes stay. */
  | 'adjust'
  /** It is handed another configuration; its processes stay. */
  | 'reconfigure'
  /** Other processes take its place. */
  | 'swap'
  /** It runs in the server itself, where what is loaded stays: the change waits for a restart. */
  | 'needs_restart';

/** What is to be done about one plugin. */
export interface PluginChange {
  readonly name: string;
  readonly action: PluginAction;
  /** Keys that changed, below `plugins.NAME` as in the file; `library` is the file at its path. */
  readonly changed: readonly string[];
}

export interface PluginPlan {
  /** In the order of the next configuration, those that go last. */
  readonly changes: readonly PluginChange[];
  /** Plugins of both configurations stand in another order; equals in priority run in it. */
  readonly reordered: boolean;
}

export function currentPlugin({ plan: entry, digest, plugin, state }: RegistryEntry): CurrentPlugin {
  return {
    entry,
    digest,
    running: plugin !== null,
    waiting: state === 'lazy',
    reconfigurable: plugin?.reconfigurable === true,
  };
}

/** What it takes to come from the plugins there are to those there should be. Nothing is done. */
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

function planPlugin(current: CurrentPlugin | null, { entry, digest, starts }: NextPlugin): PluginChange {
  const { name, config } = entry;
  const begin = starts ? 'load' : 'postpone';
  if (current === null) return { name, action: config.enabled ? begin : 'adjust', changed: ['added'] };
  const before = current.entry.config;
  const changed = changesOf(before, config);
  const isSameFile = digest === null || current.digest === null || digest === current.digest;
  if (!isSameFile && !changed.some(({ key }) => key === 'path')) {
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
  const effect = gravest(changed, current.reconfigurable);
  const isFixed = before.isolation === 'in-process' && config.isolation === 'in-process';
  return change(effect === 'swap' && isFixed ? 'needs_restart' : effect);
}

interface Change {
  readonly key: string;
  readonly effect: SettingEffect;
}

function changesOf(before: PluginConfig, after: PluginConfig): Change[] {
  const settings = ({ name, enabled, where, written, ...rest }: PluginConfig): object => {
    // Its name is the same, `enabled` is looked at by itself, and where it stands matters to messages only.
    void [name, enabled, where];
    return { ...rest, config: { config: rest.config, written } };
  };
  return changedPaths(settings(before), settings(after), new Set(['config'])).flatMap((place) => {
    const { key, effect } = settingAt(place);
    if (key !== 'config') return { key, effect };
    return changedConfig(before, after).map((at) => ({ key: at === '' ? key : `${key}.${at}`, effect }));
  });
}

/** Where two `config:` blocks differ, numbers by their digits. */
function changedConfig(before: PluginConfig, after: PluginConfig): string[] {
  const { written: from = AS_IT_IS } = before;
  const { written: to = AS_IT_IS } = after;
  const places = new Set([from, to].flatMap(({ numbers, keys }) => Object.keys({ ...numbers, ...keys })));
  const rewritten = [...places].filter(
    (place) =>
      from.numbers[place] !== to.numbers[place] || from.keys[place]?.join() !== to.keys[place]?.join(),
  );
  const changed = changedPaths(before.config, after.config);
  const isWithin = (place: string): boolean =>
    changed.some((other) => other === '' || place === other || place.startsWith(`${other}.`));
  const others = rewritten.map((place) => segments(place).join('.')).filter((place) => !isWithin(place));
  return [...changed, ...others];
}

function gravest(changes: readonly Change[], reconfigurable: boolean): SettingEffect {
  const effects = new Set(changes.map(({ effect }) => effect));
  if (effects.has('swap')) return 'swap';
  if (effects.has('reconfigure')) return reconfigurable ? 'reconfigure' : 'swap';
  return 'adjust';
}
