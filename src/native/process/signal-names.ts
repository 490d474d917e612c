import { constants } from 'node:os';

// The first name of a number is used: SIGABRT, not its alias SIGIOT.
const NAMES = new Map(
  Object.entries(constants.signals)
    .reverse()
    .map(([name, number]) => [number, name as NodeJS.Signals]),
);

/** The name of a signal of this system, such as 'SIGSEGV'; undefined for real-time signals. */
export function signalName(number: number): NodeJS.Signals | undefined {
  return NAMES.get(number);
}
