import type { BackworksError, PluginFailure } from '../../errors.js';
import { dependencyFailure, type Resolution } from './dependency-resolver.js';

/**
 * Loads plugins concurrently, each as soon as loading its dependencies has ended.
 * @param load called with the reason a plugin cannot be loaded, or with null to load it. Resolves to the error of
 *   a plugin that does not serve afterwards, or null. Must not reject.
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
      return load(name, failures.get(name) ?? (broken ? missingDependency(name, broken) : null));
    };
    outcomes.set(name, outcome());
  }
  await Promise.all(outcomes.values());
}

/** The message contains the provider's error, so it shows the whole chain of missing dependencies. */
function missingDependency(
  name: string,
  { provider, error }: { provider: string; error: BackworksError },
): PluginFailure {
  const message = `plugin ${name} needs plugin ${provider}, which does not serve: ${error.message}`;
  return dependencyFailure(name, message, error);
}
