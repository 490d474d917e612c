import type { Row } from './row.js';
import { CRASHES } from './rows/crashes.js';
import { DEADLINES } from './rows/deadlines.js';
import { PROCESSES } from './rows/processes.js';
import { REACH } from './rows/reach.js';
import { RESOURCES } from './rows/resources.js';
import { SYSTEM_CALLS } from './rows/system-calls.js';

const ROWS: readonly Row[] = [
  ...CRASHES,
  ...DEADLINES,
  ...RESOURCES,
  ...PROCESSES,
  ...REACH,
  ...SYSTEM_CALLS,
];

/** Every behaviour of the hostile matrix, in its order. */
export const MATRIX: readonly Row[] = [...ROWS].sort((a, b) => numberOf(a) - numberOf(b));

function numberOf({ id }: Row): number {
  return Number(id.slice(1));
}
