import type { BackworksConfig, FailurePolicy, PluginConfig, PluginPolicy } from '../config/types.js';
import { BackworksError } from '../errors.js';
import { type BodyUse, resolveBodyUse } from './body-use.js';
import type { DiscoveredLibrary } from './discovery.js';
import type { PluginMetadata } from './metadata.js';

const DEFAULT_PRIORITY = 100;
const DEFAULT_CALL_MS = 100;

/** A plugin that the server runs: an entry of the file, or a library found in a directory. */
export interface PluginEntry {
  readonly name: string;
  readonly origin: 'config' | 'discovered';
  readonly config: PluginConfig;
}

/** A plugin's complete policy. A value comes from the file, else from the manifest, else from the defaults. */
export interface ResolvedPolicy extends PluginPolicy {
  readonly critical: boolean;
  readonly onFailure: FailurePolicy;
  readonly priority: number;
  readonly body: BodyUse;
  readonly timeouts: PluginPolicy['timeouts'] & { readonly callMs: number };
}

/** @param metadata null if the library could not be described; the defaults apply then */
export function resolvePolicy(config: PluginPolicy, metadata: PluginMetadata | null): ResolvedPolicy {
  const callMs = config.timeouts.callMs ?? metadata?.maxExecutionTimeMs ?? DEFAULT_CALL_MS;
  const critical = config.critical ?? metadata?.critical ?? false;
  const guards = critical || metadata?.capabilities.some(isSecurity) === true;
  return {
    ...config,
    critical,
    onFailure: config.onFailure ?? (guards ? 'refuse' : 'skip'),
    priority: config.priority ?? metadata?.priority ?? DEFAULT_PRIORITY,
    body: resolveBodyUse(config.body, metadata?.body),
    timeouts: { ...config.timeouts, callMs },
  };
}

/** Whether a plugin with this capability decides who may do what. */
function isSecurity(capability: string): boolean {
  return capability.startsWith('security.');
}

/**
 * Merges the entries of the file with the discovered libraries. An explicit entry wins over a discovered library
 * with the same path or name.
 * @throws BackworksError BW_PLUGIN_DUPLICATE when two discovered libraries have the same name
 */
export function planEntries(
  config: BackworksConfig,
  discovered: readonly DiscoveredLibrary[],
  defaults: PluginPolicy,
): PluginEntry[] {
  const explicit = config.plugins.map((entry): PluginEntry => ({
    name: entry.name,
    origin: 'config',
    config: entry,
  }));
  const names = new Set(explicit.map((entry) => entry.name));
  const paths = new Set(config.plugins.map((entry) => entry.path));
  const byName = new Map<string, string>();
  const found: PluginEntry[] = [];
  for (const { path, metadata } of discovered) {
    const { name } = metadata;
    if (names.has(name) || paths.has(path)) continue;
    const other = byName.get(name);
    if (other !== undefined) {
      throw new BackworksError(
        'BW_PLUGIN_DUPLICATE',
        `two libraries have the name "${name}": ${other} and ${path}`,
        {
          hint: 'remove one library, or add an entry for each under plugins:',
        },
      );
    }
    byName.set(name, path);
    found.push(discoveredEntry({ path, metadata }, defaults));
  }
  return [...explicit, ...found];
}

/** The entry of a discovered library. */
export function discoveredEntry(
  { path, metadata: { name } }: DiscoveredLibrary,
  defaults: PluginPolicy,
): PluginEntry {
  const config: PluginConfig = {
    ...defaults,
    name,
    type: 'external',
    path,
    enabled: true,
    config: {},
    where: null,
  };
  return { name, origin: 'discovered', config };
}
