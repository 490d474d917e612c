import { signalName } from './signal-names.js';

/** Where a process crashed, as its signal handler reported it. Not trustworthy. */
export interface CrashReport {
  readonly signal: string;
  /** Address the code touched, in hexadecimal; null when the signal names none. */
  readonly address: string | null;
  /** The instruction that crashed and the calls that led there, innermost first. */
  readonly places: readonly CrashPlace[];
  /** Name or number of the system call the sandbox does not allow; null for other crashes. */
  readonly systemCall: string | null;
  /** Less than a quarter of its memory limit was left. */
  readonly memoryLow: boolean;
}

/** A place in code. */
export interface CrashPlace {
  /** File name of the library; null outside of any library. */
  readonly module: string | null;
  /** Offset in the library, or an address, in hexadecimal. */
  readonly offset: string;
}

const TEXT_MAX = 256;
/** The runner reports at most 32 calls. */
const PLACES_MAX = 33;

/**
 * Reads a CRASHED frame: address, module, offset, phase, number and name of a system call, memory; then module
 * and offset of each call.
 */
export function readCrashReport(signal: number, payload: Buffer): CrashReport {
  const [address, module, offset, , call, callName, memory, ...calls] = payload
    .toString('latin1')
    .split('\0')
    .map((text) => text.slice(0, TEXT_MAX).replace(/[^\x20-\x7e]/g, '?'));
  const places = [{ module: module || null, offset: offset ?? '' }];
  for (let at = 0; at + 1 < calls.length && places.length < PLACES_MAX; at += 2)
    places.push({ module: calls[at] || null, offset: calls[at + 1] as string });
  return {
    signal: signalName(signal) ?? `signal ${signal}`,
    address: address || null,
    places,
    systemCall: callName || call || null,
    memoryLow: memory === 'low',
  };
}
