/** A file with one mistake, and the expected message about the mistake without the file name. */
export type Case = readonly [mistake: string, text: string, message: string];
