import { signalName } from './signal-names.js';

/** Where a process crashed, as its signal handler reported it. Not trustworthy. */
export interface CrashReport {
  readonly signal: string;
  /** Address the code touched, in hexadecimal; null when the signal names none. */
  readonly address: string | null;
  /** Library and offset of the instruction, as "libweather.so+0x1139"; null outside of any library. */
  readonly at: string | null;
  /** Name or number of the system call the sandbox does not allow; null for other crashes. */
  readonly systemCall: string | null;
  /** Less than a quarter of its memory limit was left. */
  readonly memoryLow: boolean;
}

const TEXT_MAX = 256;

/** Reads a CRASHED frame: address, module, offset, phase, number and name of a system call, memory. */
export function readCrashReport(signal: number, payload: Buffer): CrashReport {
  const [address, module, offset, , call, callName, memory] = payload
    .toString('latin1')
    .split('\0')
    .map((text) => text.slice(0, TEXT_MAX).replace(/[^\x20-\x7e]/g, '?'));
  return {
    signal: signalName(signal) ?? `signal ${signal}`,
    address: address || null,
    at: module ? `${module}+${offset ?? ''}` : null,
    systemCall: callName || call || null,
    memoryLow: memory === 'low',
  };
}
