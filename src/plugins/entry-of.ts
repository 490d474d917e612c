import { basename, extname } from 'node:path';
import type { BackworksConfig, EndpointConfig, PluginConfig, PluginPolicy } from '../config/types.js';
import { BackworksError } from '../errors.js';
import { discoverPlugins } from './discovery.js';
import type { LibraryReader } from './library-reader.js';
import { discoveredEntry, type PluginEntry, planEntries } from './plugin-entry.js';

export interface EntryParts {
  readonly reader: LibraryReader;
  /** The policy of libraries without an entry. */
  readonly defaults: PluginPolicy;
}

/** A plugin that a command runs without a server. */
export interface PluginToRun {
  readonly entry: PluginEntry;
  /** The endpoints that name the plugin. */
  readonly endpoints: readonly EndpointConfig[];
}

/**
 * A library without an entry: the default policy applies.
 * @param block the `config:` block; default: empty
 * @throws BackworksError when the file is not a usable plugin
 */
export async function libraryToRun(
  path: string,
  { reader, defaults }: EntryParts,
  block?: Pick<PluginConfig, 'config' | 'written'>,
): Promise<PluginToRun> {
  const entry = discoveredEntry({ path, metadata: await reader.read(path) }, defaults);
  return { entry: withBlock(entry, block), endpoints: [] };
}

/**
 * A library that cannot be described before it runs, such as one that needs a library loaded first. The plugin gets
 * the name of the file.
 */
export function undescribedToRun(
  path: string,
  { defaults }: Pick<EntryParts, 'defaults'>,
  block?: Pick<PluginConfig, 'config' | 'written'>,
): PluginToRun {
  const name = basename(path, extname(path));
  const config: PluginConfig = {
    ...defaults,
    name,
    config: {},
    ...block,
    type: 'external',
    path,
    enabled: true,
    where: null,
  };
  return { entry: { name, origin: 'config', config }, endpoints: [] };
}

/**
 * A plugin of a configuration: an entry, or a library in one of its directories.
 * @param block replaces the `config:` block of the entry
 * @throws BackworksError BW_PLUGIN_UNKNOWN, BW_PLUGIN_DUPLICATE
 */
export async function configuredToRun(
  config: BackworksConfig,
  name: string,
  { reader, defaults }: EntryParts,
  block?: Pick<PluginConfig, 'config' | 'written'>,
): Promise<PluginToRun> {
  const { enabled, directories } = config.autoDiscover;
  const { found } = await discoverPlugins(enabled ? directories : [], reader);
  const entries = planEntries(config, found, defaults);
  const entry = entries.find((candidate) => candidate.name === name);
  if (entry === undefined) {
    const known = entries.map((candidate) => candidate.name).join(', ') || 'none';
    const hint = `known plugins: ${known}; a library is given by its path, such as ./${name}.so`;
    throw new BackworksError('BW_PLUGIN_UNKNOWN', `no plugin is named ${JSON.stringify(name)}`, { hint });
  }
  const endpoints = config.endpoints.filter(
    ({ target }) => target.kind === 'plugin' && target.plugin === name,
  );
  return { entry: withBlock(entry, block), endpoints };
}

function withBlock(entry: PluginEntry, block?: Pick<PluginConfig, 'config' | 'written'>): PluginEntry {
  return block === undefined ? entry : { ...entry, config: { ...entry.config, ...block } };
}
