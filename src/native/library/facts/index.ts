/**
 * What a native library says of itself, read without loading it and without running any of its
 * code. The readers are our own because no maintained package reads all three formats with limits.
 */
export { checkLibrary } from './check.js';
export type { LibraryFacts } from './facts.js';
export { readLibraryFacts } from './read.js';
