import { toBackworksError } from '../errors.js';
import { createCaller } from '../profiling/documents.js';
import type { Children } from './children.js';
import { FailedInput } from './report.js';
import type { TargetInput } from './target.js';

/** Inputs that are tried, each in a process of its own. */
const TRIES = 250;
/** The same when each of them lasts until its deadline. */
const SLOW_TRIES = 6;

/**
 * Leaves out parts of an input as long as the plugin still fails with it in the same way.
 * @param reason the error of the call with the whole input
 * @returns the failure of the smallest input that was found
 */
export async function smallestInput(
  whole: TargetInput,
  reason: unknown,
  children: Children,
): Promise<FailedInput> {
  const { code } = toBackworksError(reason);
  const failureOf = async (input: TargetInput): Promise<unknown> => {
    const child = await children.open();
    try {
      await input.ask(child.plugin, createCaller());
      return null;
    } catch (thrown) {
      return toBackworksError(thrown).code === code ? thrown : null;
    } finally {
      await child.close();
    }
  };
  let tries = code === 'BW_PLUGIN_TIMEOUT' ? SLOW_TRIES : TRIES;
  let smallest = whole;
  let failure = await failureOf(whole);
  if (failure === null) return new FailedInput(reason, whole.describe(false));
  for (let simplified = true; simplified && tries > 0;) {
    simplified = false;
    for (const simpler of smallest.simpler()) {
      if (simpler === null) continue;
      if (tries-- <= 0) break;
      const sameFailure = await failureOf(simpler);
      if (sameFailure === null) continue;
      smallest = simpler;
      failure = sameFailure;
      simplified = true;
      break;
    }
  }
  return new FailedInput(failure, smallest.describe(true));
}
