import { checkPluginConfig, unusableSchema } from '../config/plugin-schema/check.js';
import type { ConfigProblem } from '../config/source/problems.js';
import type { PluginConfig } from '../config/types.js';
import type { LibraryReader } from './library-reader.js';
import type { PluginMetadata } from './metadata.js';

/**
 * Checks the `config:` block of every enabled plugin against the schema of its library. No plugin is initialized.
 * A library that cannot be described is skipped; other checks report it.
 */
export async function checkConfigs(
  plugins: readonly PluginConfig[],
  reader: LibraryReader,
): Promise<ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  for (const plugin of plugins) {
    const { name, path, enabled, config } = plugin;
    if (!enabled || path === null) continue;
    let metadata: PluginMetadata;
    try {
      metadata = await reader.read(path, plugin);
    } catch {
      continue;
    }
    const check = await checkPluginConfig(metadata.configSchema, config, name);
    if (check.kind === 'misfit') problems.push(...check.problems);
    if (check.kind === 'unusable') problems.push(unusableSchema(config, name, check.reason));
  }
  return problems;
}
