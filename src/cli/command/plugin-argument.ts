import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { PluginSource } from '../../authoring/plugin-source.js';
import { readPluginConfig } from '../../config/load/plugin-config-file.js';
import type { CommandContext } from './command.js';
import { readConfig } from './config-file.js';
import { isLibraryPath } from './library-path.js';

/**
 * The plugin that an argument means: the path of a library, or the name of a plugin of the configuration.
 * @param pluginConfig a file with the `config:` block of the plugin
 * @throws ConfigError. @throws BackworksError BW_CONFIG_NOT_FOUND
 */
export async function pluginSource(
  context: CommandContext,
  which: string,
  pluginConfig: string | undefined,
): Promise<PluginSource> {
  const { env } = context;
  const block = pluginConfig === undefined ? undefined : await readPluginConfig(resolve(pluginConfig), env);
  const isFile = isLibraryPath(which) || existsSync(which);
  return {
    which: isFile
      ? { kind: 'library', path: resolve(which) }
      : { kind: 'configured', config: (await readConfig(context)).config, name: which },
    block,
    environment: env,
  };
}
