import { missingPermissions } from '../../plugins/permissions.js';
import { resolvePolicy } from '../../plugins/plugin-entry.js';
import type { LoadedPlugin } from '../../plugins/loaded-plugin.js';
import type { EntryFacts } from './entry-change.js';
import type { OwnStatus } from './status.js';
import { trialStatus, versionsOf } from './version-status.js';

/** What an entry knows besides its facts. */
type Records = Pick<OwnStatus, 'circuit' | 'refusals' | 'limits' | 'failures'> & {
  readonly leaving: ReadonlySet<LoadedPlugin>;
};

/** The status of one plugin, without its relations to others. */
export function ownStatus(facts: Readonly<EntryFacts>, { leaving, ...records }: Records): OwnStatus {
  const { plan, metadata, loaded, trial } = facts;
  const { name, origin, config } = plan;
  const { critical, onFailure, priority, body } = resolvePolicy(config, metadata);
  return {
    ...records,
    name,
    state: facts.state,
    reason: facts.reason,
    since: facts.since,
    origin,
    type: config.type,
    path: config.path,
    version: metadata?.version ?? null,
    description: metadata?.description ?? null,
    hooks: metadata ? [...metadata.hooks] : [],
    isolation: config.isolation,
    critical,
    onFailure,
    hookScope: config.hookScope,
    failsOpen: onFailure === 'skip' && metadata?.hooks.has('before_request') === true,
    hasDenied: loaded?.hasDenied ?? false,
    priority,
    body,
    calls: loaded?.calls ?? {},
    processes: loaded?.processes() ?? [],
    digest: facts.digest,
    sandbox: {
      mode: config.sandbox,
      states: loaded?.sandbox?.states ?? {},
      missing: loaded?.sandbox?.missing ?? [],
    },
    missingPermissions: missingPermissions(metadata?.permissions ?? null, config.permissions),
    trial: trial === null ? null : trialStatus(trial),
    versions: versionsOf({ plugin: loaded, trial, leaving }),
    lastSwap: facts.swapRecord,
  };
}
