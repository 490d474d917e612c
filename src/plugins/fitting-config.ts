import { checkPluginConfig } from '../config/plugin-schema/check.js';
import { formatProblem } from '../config/source/problems.js';
import { AS_IT_IS, exactJson } from '../config/source/written.js';
import type { JsonObject, PluginConfig } from '../config/types.js';
import { PluginFailure } from '../errors.js';

/** A plugin's `config:` block as JSON, with numbers and keys as written in the file. */
export function configJson({ config, written = AS_IT_IS }: Pick<PluginConfig, 'config' | 'written'>): string {
  return exactJson(config, written);
}

/**
 * The configuration that a plugin receives, as JSON: the values of the file, and the defaults of the plugin's
 * schema.
 * @param schema `config_schema` of the plugin's manifest
 * @throws PluginFailure BW_PLUGIN_CONFIG with every mistake and its position; BW_PLUGIN_METADATA when the schema
 *   is not usable
 */
export async function fittingConfig(
  plugin: string,
  schema: JsonObject | null,
  { config, written }: Pick<PluginConfig, 'config' | 'written'>,
): Promise<string> {
  const check = await checkPluginConfig(schema, config, plugin);
  if (check.kind === 'fits') return configJson({ config: check.config, ...(written && { written }) });
  if (check.kind === 'misfit') {
    const found = check.problems.map(formatProblem).join('; ');
    throw new PluginFailure(
      'BW_PLUGIN_CONFIG',
      `the configuration of plugin ${plugin} is invalid: ${found}`,
      {
        plugin,
        phase: 'load',
      },
    );
  }
  throw new PluginFailure(
    'BW_PLUGIN_METADATA',
    `plugin ${plugin}: its config_schema cannot be used: ${check.reason}`,
    { plugin, phase: 'load', hint: 'correct the JSON that manifest() returns' },
  );
}
