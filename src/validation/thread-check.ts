import type { PluginConfig } from '../config/types.js';
import { BackworksError } from '../errors.js';
import { createCaller } from '../profiling/documents.js';
import type { Child, Children } from './children.js';
import { askOne } from './function-checks.js';
import { FailedInput, Finding } from './report.js';
import type { Target, TargetInput } from './target.js';

/** Call threads of the process, if the configuration does not ask for more. */
const THREADS = 8;
const CALLS = 3000;
/** Different requests, of each kind of ordinary input. */
const VARIANTS = 8;

/**
 * Calls a thread-safe plugin on several threads at once, and compares the answers with those it gives on one.
 * @throws Finding when answers get mixed up
 */
export async function checkThreads(
  target: Target,
  children: Children,
  { limits }: PluginConfig,
): Promise<string> {
  const concurrency = limits.concurrency > 1 ? limits.concurrency : THREADS;
  return children.within(
    async (child) => {
      const inputs = target.ordinary.flatMap((input) =>
        Array.from({ length: VARIANTS }, (_, variant) => input.numbered(variant)),
      );
      const expected = await constantAnswers(child, inputs);
      let made = 0;
      const caller = async (): Promise<void> => {
        while (made < CALLS) {
          const input = inputs[made++ % inputs.length] as TargetInput;
          const answer = await textOf(child, input);
          const alone = expected.get(input);
          if (alone === undefined || answer === alone) continue;
          const hint =
            'an answer that stays the plugin’s must be a constant, thread-local or allocated, not a static buffer';
          const finding = new Finding(
            'failed',
            'on several threads it gives other answers than on one',
            hint,
          );
          throw new FailedInput(finding, input.describe(false));
        }
      };
      await Promise.all(Array.from({ length: concurrency }, caller));
      return `${CALLS} calls on ${concurrency} threads, ${expected.size === 0 ? 'whose answers vary' : 'with the answers of one thread'}`;
    },
    { limits: { ...limits, concurrency, queue: Math.max(limits.queue, concurrency) } },
  );
}

/** The answers that are the same when the plugin is asked twice. */
async function constantAnswers(
  child: Child,
  inputs: readonly TargetInput[],
): Promise<Map<TargetInput, string | null>> {
  const constant = new Map<TargetInput, string | null>();
  const first: (string | null)[] = [];
  for (const input of inputs) first.push(await textOf(child, input));
  for (const [index, input] of inputs.entries()) {
    const answer = await textOf(child, input);
    if (answer === first[index]) constant.set(input, answer);
  }
  return constant;
}

async function textOf(child: Child, input: TargetInput): Promise<string | null> {
  const answer = await askOne(child, input, createCaller());
  return answer instanceof BackworksError ? `fail(): ${answer.message}` : answer.text;
}
