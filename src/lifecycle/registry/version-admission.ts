import { PluginFailure } from '../../errors.js';
import type { PluginMetadata } from '../../plugins/metadata.js';
import { resolveDependencies, type SurveyedPlugin } from '../dependencies/survey.js';

/**
 * Refuses a version of a plugin that would break a dependency of a serving plugin or of the plugin itself.
 * @param plugins the current plugins
 * @param serves whether the plugin of a name serves
 * @throws PluginFailure BW_PLUGIN_DEPENDENCY with the broken dependencies
 */
export function admitVersion(
  name: string,
  metadata: PluginMetadata,
  plugins: readonly SurveyedPlugin[],
  serves: (name: string) => boolean,
): void {
  const before = resolveDependencies(plugins).failures;
  const next = plugins.map((plugin) => (plugin.entry.name === name ? { ...plugin, metadata } : plugin));
  const broken = [...resolveDependencies(next).failures].filter(
    ([other]) => serves(other) && !before.has(other),
  );
  if (broken.length === 0) return;
  const why = broken.map(([, { message }]) => message).join('; ');
  const hint = 'swap, stop or update these plugins first';
  throw new PluginFailure(
    'BW_PLUGIN_DEPENDENCY',
    `version ${metadata.version} of plugin ${name} would break a dependency: ${why}`,
    { plugin: name, phase: 'load', hint },
  );
}
