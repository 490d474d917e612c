import type { BackworksConfig, PluginPolicy } from '../../config/types.js';
import { dependenciesOf } from '../../native/library/dependencies.js';
import type { LibraryDigests } from '../../native/library/library-digests.js';
import { startsWithServer } from '../lazy/lazy-start.js';
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

/** The changes to reach another configuration, and a survey of its plugins. */
export interface RegistryPlan extends PluginPlan {
  readonly survey: Survey;
  /** The reason shown in the status of plugins that are stopped. */
  readonly stopReason: string;
}

export interface PlanningTools {
  readonly reader: LibraryReader;
  readonly defaults: PluginPolicy;
  readonly keeper: VersionKeeper;
  readonly digests: LibraryDigests;
}

/**
 * Plans the change from the current entries to a configuration. New libraries are described; nothing is started.
 * @throws BackworksError BW_PLUGIN_DUPLICATE when two libraries claim one name
 */
export async function planConfiguration(
  entries: readonly RegistryEntry[],
  config: BackworksConfig,
  { reader, defaults, keeper, digests }: PlanningTools,
): Promise<RegistryPlan> {
  const survey = await surveyPlugins(config, reader, defaults);
  const atOnce = startsWithServer(survey.plugins, survey.resolution);
  const next = survey.plugins.map(async ({ entry }) => {
    const { path, enabled } = entry.config;
    const digest = enabled && path !== null ? await digests.read(path) : null;
    const starts = atOnce.has(entry.name);
    const expected = digest && (await keeper.expectedDigest(entry, digest));
    // The copy of an earlier version has its own dependencies.
    const dependencies = path !== null && expected === digest ? (await dependenciesOf(path)).digest : null;
    return { entry, digest: expected, dependencies, starts };
  });
  const plan = planPlugins(entries.map(currentPlugin), await Promise.all(next));
  return { ...plan, survey, stopReason: 'disabled in the configuration' };
}

/** Plans the change from the current entries to an edited list of plugins. No library file is read. */
export function planPluginEdit(
  entries: readonly RegistryEntry[],
  plugins: readonly SurveyedPlugin[],
  rejected: readonly RejectedLibrary[],
  stopReason: string,
): RegistryPlan {
  const resolution = resolveDependencies(plugins);
  const atOnce = startsWithServer(plugins, resolution);
  const next = plugins.map(({ entry }) => ({
    entry,
    digest: null,
    dependencies: null,
    starts: atOnce.has(entry.name),
  }));
  const plan = planPlugins(entries.map(currentPlugin), next);
  return { ...plan, survey: { plugins, rejected, resolution }, stopReason };
}
