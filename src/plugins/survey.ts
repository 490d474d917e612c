import type { BackworksConfig, PluginPolicy } from '../config/types.js';
import { discoverPlugins } from './discovery.js';
import type { LibraryReader } from './library-reader.js';
import type { PluginMetadata } from './metadata.js';
import { type PluginEntry, planEntries } from './plugin-entry.js';
import type { RejectedLibrary } from './status.js';

/** A plugin of a configuration, with what is known of its library without loading it. */
export interface SurveyedPlugin {
  readonly entry: PluginEntry;
  /** Null for a library that was not described. */
  readonly metadata: PluginMetadata | null;
}

export interface Survey {
  readonly plugins: readonly SurveyedPlugin[];
  readonly rejected: readonly RejectedLibrary[];
}

/**
 * Finds out which plugins a configuration means: its entries, and what lies in its directories. No plugin
 * is initialized.
 * @throws BackworksError BW_PLUGIN_DUPLICATE when two libraries claim one name.
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
  return {
    plugins: planEntries(config, discovery.found, defaults).map((entry) => ({
      entry,
      metadata: (entry.config.path === null ? undefined : metadata.get(entry.config.path)) ?? null,
    })),
    rejected: discovery.rejected.filter(({ path }) => !explicit.has(path)),
  };
}
