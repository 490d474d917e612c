import type { BackworksConfig, PluginPolicy } from '../../config/types.js';
import type { LibraryDigests } from '../../native/library/library-digests.js';
import { startsAtOnce } from '../lazy/lazy-start.js';
import type { LibraryReader } from '../../plugins/library-reader.js';
import type { RegistryEntry } from '../entry/registry-entry.js';
import { currentPlugin, type PluginPlan, planPlugins } from './reload.js';
import type { RejectedLibrary } from '../../plugins/discovery.js';
import {
  resolveDependencies,
  type Survey,
  type SurveyedPlugin,
  surveyPlugins,
} from '../dependencies/survey.js';
import type { VersionKeeper } from '../records/version-keeper.js';

/** What it takes to come to another configuration, and what is known of its plugins. */
export interface RegistryPlan extends PluginPlan {
  readonly survey: Survey;
  /** Why a plugin that is to stop stops. */
  readonly stopReason: string;
}

export interface PlanningTools {
  readonly reader: LibraryReader;
  readonly defaults: PluginPolicy;
  readonly keeper: VersionKeeper;
  readonly digests: LibraryDigests;
}

/**
 * From entries to a configuration. Libraries are described where they are new; nothing else happens.
 * @throws BackworksError BW_PLUGIN_DUPLICATE when two libraries claim one name.
 */
export async function planConfiguration(
  entries: readonly RegistryEntry[],
  config: BackworksConfig,
  { reader, defaults, keeper, digests }: PlanningTools,
): Promise<RegistryPlan> {
  const survey = await surveyPlugins(config, reader, defaults);
  const atOnce = startsAtOnce(survey.plugins, survey.resolution);
  const next = survey.plugins.map(async ({ entry }) => {
    const { path, enabled } = entry.config;
    const digest = enabled && path !== null ? await digests.read(path) : null;
    const starts = atOnce.has(entry.name);
    return { entry, digest: digest && (await keeper.wanted(entry, digest)), starts };
  });
  const plan = planPlugins(entries.map(currentPlugin), await Promise.all(next));
  return { ...plan, survey, stopReason: 'disabled in the configuration' };
}

/** From entries to plugins that are made of them. No file is looked at but those of plugins to be loaded. */
export function planPluginEdit(
  entries: readonly RegistryEntry[],
  plugins: readonly SurveyedPlugin[],
  rejected: readonly RejectedLibrary[],
  stopReason: string,
): RegistryPlan {
  const resolution = resolveDependencies(plugins);
  const atOnce = startsAtOnce(plugins, resolution);
  const next = plugins.map(({ entry }) => ({ entry, digest: null, starts: atOnce.has(entry.name) }));
  const plan = planPlugins(entries.map(currentPlugin), next);
  return { ...plan, survey: { plugins, rejected, resolution }, stopReason };
}
