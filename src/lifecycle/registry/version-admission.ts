import { PluginFailure } from '../../errors.js';
import type { PluginMetadata } from '../../plugins/metadata.js';
import { resolveDependencies, type SurveyedPlugin } from '../dependencies/survey.js';

/**
 * Refuses a version of a plugin with which others, or it itself, would lose what they need.
 * @param plugins as they are
 * @param serves whether a plugin of that name takes requests
 * @throws PluginFailure BW_PLUGIN_DEPENDENCY naming who needs what
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
  const hint = 'swap, stop or update those first';
  throw new PluginFailure(
    'BW_PLUGIN_DEPENDENCY',
    `version ${metadata.version} of plugin ${name} would take away what plugins need: ${why}`,
    { plugin: name, phase: 'load', hint },
  );
}
