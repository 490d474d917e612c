import { createInterface } from 'node:readline/promises';
import { BackworksError } from '../../errors.js';
import type { Screen } from './screen.js';

/** One of several things to choose from. */
export interface Choice {
  readonly id: string;
  readonly title: string;
}

/** Whether questions can be asked: somebody can read them and type an answer. */
export const canAsk = (out: Screen): boolean => out.terminal && process.stdin.isTTY === true;

/**
 * Asks for one of several choices, by number or by name, until the answer is one of them.
 * @throws BackworksError BW_USAGE when the input ends, or on Ctrl-C
 */
export async function choose(out: Screen, question: string, choices: readonly Choice[]): Promise<string> {
  out.line(question);
  choices.forEach(({ id, title }, index) => {
    out.line(`  ${index + 1}. ${id.padEnd(14)} ${out.style('dim', title)}`);
  });
  for (;;) {
    const answer = (await ask(`1-${choices.length} [1]: `)).trim();
    const chosen = answer === '' ? choices[0] : (choices[Number(answer) - 1] ?? byName(choices, answer));
    if (chosen !== undefined) return chosen.id;
    out.line(`"${answer}" is not a number from 1 to ${choices.length} or one of the names`);
  }
}

const byName = (choices: readonly Choice[], name: string): Choice | undefined =>
  choices.find(({ id }) => id === name);

/** Asks for a line of text. @throws BackworksError BW_USAGE when the input ends, or on Ctrl-C */
export async function ask(question: string): Promise<string> {
  const reader = createInterface({ input: process.stdin, output: process.stdout });
  const ended = new Promise<never>((_, reject) => {
    const stop = (): void => reject(new BackworksError('BW_USAGE', 'no answer was given'));
    reader.once('SIGINT', stop);
    reader.once('close', stop);
  });
  ended.catch(() => undefined);
  try {
    return await Promise.race([reader.question(question), ended]);
  } finally {
    reader.close();
  }
}
