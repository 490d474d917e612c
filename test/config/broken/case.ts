/** A file with one mistake, and what follows the file's name in the sentence about it. */
export type Case = readonly [mistake: string, text: string, message: string];
