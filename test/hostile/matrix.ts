import type { Row } from './row.js';
import { ANSWERS } from './rows/answers.js';
import { BACKGROUND } from './rows/background.js';
import { CHANNEL } from './rows/channel.js';
import { CONTROL_FLOW } from './rows/control-flow.js';
import { CRASHES } from './rows/crashes.js';
import { DEADLINES } from './rows/deadlines.js';
import { FRAME_BUDGETS } from './rows/frame-budgets.js';
import { LIES } from './rows/lies.js';
import { LIFETIMES } from './rows/lifetimes.js';
import { LOADING } from './rows/loading.js';
import { LOOSENING } from './rows/loosening.js';
import { OUTPUT } from './rows/output.js';
import { OWN_CODE } from './rows/own-code.js';
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
  ...LOOSENING,
  ...CHANNEL,
  ...OUTPUT,
  ...CONTROL_FLOW,
  ...LOADING,
  ...BACKGROUND,
  ...ANSWERS,
  ...OWN_CODE,
  ...LIFETIMES,
  ...FRAME_BUDGETS,
  ...LIES,
];

/** All rows of the hostile matrix, in the order of their ids. */
export const MATRIX: readonly Row[] = [...ROWS].sort((a, b) => numberOf(a) - numberOf(b));

function numberOf({ id }: Row): number {
  return Number(id.slice(1));
}
