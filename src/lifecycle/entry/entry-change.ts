import type { BackworksError, PluginPhase } from '../../errors.js';
import type { LazyPlugin } from '../../plugins/lazy-plugin.js';
import type { LoadedPlugin } from '../../plugins/loaded-plugin.js';
import type { PluginMetadata } from '../../plugins/metadata.js';
import { type PluginEntry, resolvePolicy } from '../../plugins/plugin-entry.js';
import type { PluginState } from './plugin-state.js';
import type { SwapRecord } from './swap-record.js';
import type { Trial } from './trial.js';

/** The kinds of problems a serving plugin can have. */
export type Condition = 'process' | 'circuit' | 'health' | 'sandbox' | `calls of ${PluginPhase}`;

/** Everything about a RegistryEntry that a change can replace, and that undoing the change brings back. */
export interface EntryFacts {
  state: PluginState;
  reason: string | null;
  since: Date;
  plan: PluginEntry;
  metadata: PluginMetadata | null;
  digest: string | null;
  error: BackworksError | null;
  /** The version that serves. */
  loaded: LoadedPlugin | null;
  /** Starts a lazy plugin, or refuses requests for one that failed. */
  standIn: LazyPlugin | null;
  trial: Trial | null;
  swapRecord: SwapRecord | null;
  conditions: Map<Condition, string>;
}

/** A change of an entry that is not final yet. The caller ends it with keep() or undo(). */
export interface EntryChange {
  /**
   * Makes the change final, and does everything that waited for it.
   * @throws the first error of that work; all of it is tried
   */
  keep(): void;
  /** Brings the former facts back, and drops everything that waited for the change. Idempotent. */
  undo(): void;
}

/** The facts to return to later. */
export function copyOf(facts: EntryFacts): EntryFacts {
  return { ...facts, conditions: new Map(facts.conditions) };
}

/** Undoes what a change did to objects that the former facts name. @returns the facts to restore */
export function restored(former: EntryFacts, present: EntryFacts): EntryFacts {
  if (present.trial !== former.trial) present.trial?.stop();
  const { loaded, trial } = former;
  if (present.loaded === null || loaded === present.loaded || !present.loaded.isSame(loaded)) return former;
  // The change gave the same processes another policy.
  const adjusted = present.loaded.adjusted(resolvePolicy(former.plan.config, former.metadata));
  trial?.adjust(adjusted, trial.plan);
  return { ...former, loaded: adjusted };
}

/** Work that cannot be undone. During a change it waits until the change is final. */
export class HeldWork {
  /** Null outside of a change. */
  private held: (() => void)[] | null = null;

  do(work: () => void): void {
    if (this.held === null) work();
    else this.held.push(work);
  }

  /** Begins a change. @param undo called when the change is undone */
  hold(undo: () => void): EntryChange {
    if (this.held !== null) throw new TypeError('the plugin already has a change');
    this.held = [];
    return {
      keep: () => runAll(this.end() ?? []),
      undo: () => {
        if (this.end() !== null) undo();
      },
    };
  }

  private end(): (() => void)[] | null {
    const work = this.held;
    this.held = null;
    return work;
  }
}

/** Runs all of the work. @throws the first error */
function runAll(work: readonly (() => void)[]): void {
  const errors: unknown[] = [];
  for (const one of work) {
    try {
      one();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
