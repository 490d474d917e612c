import { dirname } from 'node:path';
import type { BackworksConfig, PluginPolicy } from '../../config/types.js';
import { type DependencyNode, DependencyResolver, type Resolution } from './dependency-resolver.js';
import { discoverPlugins, type RejectedLibrary } from '../../plugins/discovery.js';
import type { LibraryReader } from '../../plugins/library-reader.js';
import { refuseUnsafeGrants } from './write-grants.js';
import type { PluginMetadata } from '../../plugins/metadata.js';
import { type PluginEntry, planEntries } from '../../plugins/plugin-entry.js';

/** A plugin of a configuration, with the metadata that is known without loading its library. */
export interface SurveyedPlugin {
  readonly entry: PluginEntry;
  /** Null if the library cannot be described. */
  readonly metadata: PluginMetadata | null;
}

export interface Survey {
  readonly plugins: readonly SurveyedPlugin[];
  readonly rejected: readonly RejectedLibrary[];
  /** The dependencies among the plugins. */
  readonly resolution: Resolution;
}

/**
 * Finds the plugins of a configuration: its entries and the libraries in its directories. No plugin is
 * initialized.
 * @throws BackworksError BW_PLUGIN_DUPLICATE when two libraries claim one name; BW_CONFIG_INVALID, see
 *   refuseUnsafeGrants()
 */
export async function surveyPlugins(
  config: BackworksConfig,
  reader: LibraryReader,
  defaults: PluginPolicy,
): Promise<Survey> {
  const { enabled, directories } = config.autoDiscover;
  const discovery = await discoverPlugins(enabled ? directories : [], reader);
  const explicit = new Set(config.plugins.map((entry) => entry.path));
  const metadata = new Map(discovery.found.map((library) => [library.path, library.metadata]));
  const entries = planEntries(config, discovery.found, defaults);
  await refuseUnsafeGrants(entries, config.file === null ? null : dirname(config.file));
  const plugins = await Promise.all(
    entries.map(async (entry): Promise<SurveyedPlugin> => {
      const known = entry.config.path === null ? undefined : metadata.get(entry.config.path);
      return { entry, metadata: known ?? (await describe(entry, reader)) };
    }),
  );
  return {
    plugins,
    rejected: discovery.rejected.filter(({ path }) => !explicit.has(path)),
    resolution: resolveDependencies(plugins),
  };
}

export function resolveDependencies(plugins: readonly SurveyedPlugin[]): Resolution {
  return new DependencyResolver(plugins.map(dependencyNode)).resolve();
}

/** Errors are ignored here: loading the library reports them. */
async function describe({ config }: PluginEntry, reader: LibraryReader): Promise<PluginMetadata | null> {
  if (config.path === null || !config.enabled) return null;
  return reader.read(config.path, config).catch(() => null);
}

function dependencyNode({ entry, metadata }: SurveyedPlugin): DependencyNode {
  return { name: entry.name, metadata, enabled: entry.config.enabled };
}
