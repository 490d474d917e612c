/**
 * Facts about a native library, read without loading it and without running its code. We have our own
 * readers because no maintained package reads all three formats with limits.
 */
export { checkLibrary } from './check.js';
export { hasDebugInformation } from './debug-information.js';
export type { LibraryFacts } from './facts.js';
export { THIS_HOST } from './host.js';
export { readLibraryFacts } from './read.js';
