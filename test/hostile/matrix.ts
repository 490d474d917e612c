import type { Row } from './row.js';
import { CRASHES } from './rows/crashes.js';
import { MEMORY } from './rows/memory.js';

/** Every behaviour of the hostile matrix, in its order. */
export const MATRIX: readonly Row[] = [...CRASHES, ...MEMORY];
