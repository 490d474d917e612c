import type { Resolution } from '../dependencies/dependency-resolver.js';
import { relationsOf } from '../dependencies/relations.js';
import type { RegistryEntry } from './registry-entry.js';
import type { PluginState, PluginStatus } from './status.js';

/** A request passes it when it is loaded. */
const COMING: readonly PluginState[] = ['discovered', 'loading'];

/** The status of plugins: what each is by itself, and what it is to the others. */
export function statusList(
  entries: readonly RegistryEntry[],
  providers: Resolution['providers'],
): PluginStatus[] {
  const own = entries.map((entry) => ({ entry, status: entry.status() }));
  const relations = relationsOf(
    own.map(({ entry: { metadata, serving }, status: { name, priority, state } }) => ({
      name,
      priority,
      metadata,
      passed: serving !== null || COMING.includes(state),
    })),
    providers,
  );
  return relations.map((related, index) => ({ ...own[index]!.status, ...related }));
}
