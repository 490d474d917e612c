import { createPluginParts, type PluginParts, type PluginPartsOptions } from '../lifecycle/plugin-parts.js';
import type { BackworksConfig, PluginConfig } from '../config/types.js';
import { configuredToRun, libraryToRun, type PluginToRun } from '../plugins/entry-of.js';
import { usersOf } from '../plugins/plugin-users.js';

/** The plugin that an author's command runs: a library, or a plugin of a configuration. */
export interface PluginSource {
  readonly which:
    | { readonly kind: 'library'; readonly path: string }
    | { readonly kind: 'configured'; readonly config: BackworksConfig; readonly name: string };
  /** Replaces the `config:` block of the plugin. */
  readonly block: Pick<PluginConfig, 'config' | 'written'> | undefined;
  /** Values of the variables that `permissions.env` grants. */
  readonly environment: NodeJS.ProcessEnv;
}

export type SourceParts = Pick<PluginPartsOptions, 'log' | 'metrics' | 'http'>;

/** The objects that read and load the libraries of the source. */
export function partsOf(
  { which, environment }: PluginSource,
  { log, metrics, http }: SourceParts,
): PluginParts {
  const users = which.kind === 'configured' ? usersOf(which.config) : undefined;
  return createPluginParts({ metrics, log, environment, users, http });
}

/** @throws BackworksError BW_PLUGIN_UNKNOWN, or the reason the library cannot be described */
export function pluginOf({ which, block }: PluginSource, parts: PluginParts): Promise<PluginToRun> {
  return which.kind === 'library'
    ? libraryToRun(which.path, parts, block)
    : configuredToRun(which.config, which.name, parts, block);
}
