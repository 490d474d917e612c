import type { BackworksError, PluginFailure } from '../../errors.js';
import { dependencyFailure, type Resolution } from './dependency-resolver.js';

/**
 * Loads plugins side by side, each as soon as those it needs have been tried.
 * @param load is given why a plugin cannot be loaded, or null to load it; gives the error of a plugin that
 *   does not serve afterwards. Must not reject.
 */
export async function loadInOrder(
  { order, providers, failures }: Resolution,
  load: (name: string, refusal: PluginFailure | null) => Promise<BackworksError | null>,
): Promise<void> {
  const outcomes = new Map<string, Promise<BackworksError | null>>();
  for (const name of order) {
    const needed = (providers.get(name) ?? []).map(async ({ name: provider, dependency }) => {
      const error = await (outcomes.get(provider) ?? null);
      return error === null || dependency.optional ? null : { provider, error };
    });
    const outcome = async (): Promise<BackworksError | null> => {
      const broken = (await Promise.all(needed)).find((lacking) => lacking !== null);
      return load(name, failures.get(name) ?? (broken ? lacks(name, broken) : null));
    };
    outcomes.set(name, outcome());
  }
  await Promise.all(outcomes.values());
}

/** The error it has already says what that one lacks: the chain grows with each step. */
function lacks(
  name: string,
  { provider, error }: { provider: string; error: BackworksError },
): PluginFailure {
  const message = `plugin ${name} needs plugin ${provider}, which does not serve: ${error.message}`;
  return dependencyFailure(name, message, error);
}
