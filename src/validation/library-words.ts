import { readFile } from 'node:fs/promises';

/** Longer libraries are read up to here: what a plugin compares with is among its first texts. */
const BYTES_MAX = 8 * 1024 * 1024;
const WORDS_MAX = 400;
const WORD = /(?<![\w.$-])[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*(?![\w.$-])/gi;
const TEXT = /[\x20-\x7e]{2,200}/g;
const LENGTH_MIN = 2;
const LENGTH_MAX = 24;

/**
 * Words in the texts of a library, such as the names of the JSON members that it reads. Random input made of them gets
 * further into a plugin than other random input does.
 */
export async function libraryWords(path: string): Promise<string[]> {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0));
  const words = new Set<string>();
  for (const [text] of bytes.subarray(0, BYTES_MAX).toString('latin1').matchAll(TEXT)) {
    for (const [word] of text.matchAll(WORD)) {
      if (word.length < LENGTH_MIN || word.length > LENGTH_MAX) continue;
      words.add(word);
      if (words.size === WORDS_MAX) return [...words];
    }
  }
  return [...words];
}
