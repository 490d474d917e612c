import { DEEP_VALUES, ENCODED_VALUES, HOSTILE_NUMBERS, HOSTILE_TEXTS } from './hostile-texts.js';
import type { Random } from './random.js';

const DEPTH_MAX = 4;
const MEMBERS_MAX = 8;
const TEXT_MAX = 40;

/**
 * Draws a JSON text.
 * @param words names that the plugin may look for
 */
export function randomJson(random: Random, words: readonly string[], depth = 0): string {
  // Most bodies that programs read are objects.
  if (depth === 0 && random.below(3) > 0) return randomObject(random, words, depth);
  const kind = random.below(depth >= DEPTH_MAX ? 6 : 10);
  if (kind >= 8) return `[${list(random, () => randomJson(random, words, depth + 1))}]`;
  if (kind >= 6) return randomObject(random, words, depth);
  if (kind >= 4) return random.pick(HOSTILE_NUMBERS);
  if (kind === 3) return random.pick(['null', 'true', 'false', '[]', '{}', '""']);
  if (kind === 2 && random.oneIn(8)) return random.pick(depth === 0 ? DEEP_VALUES : ENCODED_VALUES);
  return JSON.stringify(randomText(random, words));
}

function randomObject(random: Random, words: readonly string[], depth: number): string {
  const member = (): string =>
    `${JSON.stringify(randomText(random, words))}:${randomJson(random, words, depth + 1)}`;
  return `{${list(random, member)}}`;
}

function list(random: Random, item: () => string): string {
  return Array.from({ length: random.below(MEMBERS_MAX) }, item).join(',');
}

/** Draws a text: a word of the plugin, a hostile text, or characters. */
export function randomText(random: Random, words: readonly string[]): string {
  if (words.length > 0 && !random.oneIn(3)) return random.pick(words);
  if (!random.oneIn(3)) return random.pick(HOSTILE_TEXTS);
  const length = random.below(TEXT_MAX);
  return Array.from({ length }, () =>
    String.fromCodePoint(32 + random.below(random.oneIn(4) ? 0xd000 : 95)),
  ).join('');
}
