import { checkPluginConfig, unusableSchema } from '../config/plugin-schema/check.js';
import type { ConfigProblem } from '../config/source/problems.js';
import type { PluginConfig } from '../config/types.js';
import { toBackworksError } from '../errors.js';
import type { LibraryReader } from './library-reader.js';
import type { PluginMetadata } from './metadata.js';

export interface ConfigsReport {
  readonly problems: readonly ConfigProblem[];
  /** Blocks that could not be checked, one line each, with the reason. */
  readonly unchecked: readonly string[];
}

/** Checks the `config:` block of every enabled plugin with the schema of its library. Nothing is initialized. */
export async function checkConfigs(
  plugins: readonly PluginConfig[],
  reader: LibraryReader,
): Promise<ConfigsReport> {
  const problems: ConfigProblem[] = [];
  const unchecked: string[] = [];
  for (const { name, path, enabled, config, where, ...policy } of plugins) {
    if (!enabled || path === null) continue;
    const skip = (reason: string): void => {
      const place = where === null ? '' : `${where}: `;
      unchecked.push(`${place}plugins.${name}: its config was not checked: ${reason}`);
    };
    let metadata: PluginMetadata;
    try {
      metadata = await reader.read(path, policy);
    } catch (error) {
      skip(toBackworksError(error).message);
      continue;
    }
    const check = await checkPluginConfig(metadata.configSchema, config, name);
    if (check.kind === 'misfit') problems.push(...check.problems);
    if (check.kind === 'unusable') problems.push(unusableSchema(config, name, check.reason));
  }
  return { problems, unchecked };
}
