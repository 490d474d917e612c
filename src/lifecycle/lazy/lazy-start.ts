import { toBackworksError } from '../../errors.js';
import { dependencyFailure, type Resolution } from '../dependencies/dependency-resolver.js';
import { fittingConfig } from '../../plugins/fitting-config.js';
import type { LibraryReader } from '../../plugins/library-reader.js';
import type { LoadedPlugin } from '../../plugins/loaded-plugin.js';
import type { LibraryChoice, PluginLoader } from '../../plugins/loader.js';
import type { PluginMetadata } from '../../plugins/metadata.js';
import type { PluginEntry } from '../../plugins/plugin-entry.js';
import type { RegistryEntry } from '../entry/registry-entry.js';
import type { SurveyedPlugin } from '../dependencies/survey.js';

/** The facts about a lazy plugin before its start. */
export interface CheckedLibrary {
  readonly metadata: PluginMetadata;
  readonly digest: string;
}

/**
 * Checks a plugin without starting it: the file, the ABI, quarantine, and its configuration against its schema.
 * @param known the library's metadata; null to read it
 * @throws BackworksError the reason the plugin could not start
 */
export async function checkLibraryOf(
  plan: PluginEntry,
  known: PluginMetadata | null,
  choose: LibraryChoice,
  { reader, loader }: { readonly reader: LibraryReader; readonly loader: PluginLoader },
): Promise<CheckedLibrary> {
  const { path } = plan.config;
  const { digest } = await loader.admit(plan, { identified: () => undefined }, choose);
  // The loader refuses an entry without a path.
  const metadata = known ?? (await reader.read(path ?? '', plan.config));
  await fittingConfig(plan.name, metadata.configSchema, plan.config);
  return { metadata, digest };
}

/** Names of the plugins that start with the server: eager plugins and their dependencies. */
export function startsWithServer(plugins: readonly SurveyedPlugin[], { providers }: Resolution): Set<string> {
  const names = new Set<string>();
  const add = (name: string): void => {
    if (names.has(name)) return;
    names.add(name);
    for (const { name: needed, dependency } of providers.get(name) ?? []) {
      if (!dependency.optional) add(needed);
    }
  };
  for (const { entry } of plugins) {
    if (entry.config.enabled && entry.config.load === 'eager') add(entry.name);
  }
  return names;
}

export interface LazyStartContext {
  readonly providersOf: (
    name: string,
  ) => Resolution['providers'] extends ReadonlyMap<string, infer P> ? P : never;
  readonly find: (name: string) => RegistryEntry;
  /** Loads a plugin. A plugin that fails is kept with its reason. Never rejects. */
  load(entry: RegistryEntry): Promise<void>;
  fail(entry: RegistryEntry, error: ReturnType<typeof toBackworksError>): void;
}

/**
 * Starts a lazy plugin after its dependencies. The caller blocks other changes to the set of plugins.
 * @throws BackworksError the reason the plugin does not start; the entry keeps this reason
 */
export async function startLazy(entry: RegistryEntry, context: LazyStartContext): Promise<LoadedPlugin> {
  if (entry.plugin !== null) return entry.plugin;
  const { name } = entry.plan;
  if (entry.state === 'lazy') {
    try {
      await startNeeded(name, context);
      await context.load(entry);
    } catch (thrown) {
      context.fail(entry, toBackworksError(thrown));
    }
  }
  // Read again, because loading has changed the entry.
  const { plugin, error } = entry;
  if (plugin !== null) return plugin;
  throw error ?? dependencyFailure(name, `plugin ${name} is ${entry.state}`);
}

async function startNeeded(name: string, context: LazyStartContext): Promise<void> {
  for (const { name: needed, dependency } of context.providersOf(name)) {
    if (dependency.optional) continue;
    try {
      await startLazy(context.find(needed), context);
    } catch (thrown) {
      const error = toBackworksError(thrown);
      const message = `plugin ${name} needs plugin ${needed}, which does not serve: ${error.message}`;
      throw dependencyFailure(name, message, error);
    }
  }
}
