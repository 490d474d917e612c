import type { Ends } from '../row.js';

/** Library and offset, as in a post-mortem. */
export const PLACE = /^\S+\+0x[0-9a-f]+/;

type Details = Partial<Pick<Ends, 'at' | 'stderr' | 'logged' | 'phase' | 'pattern'>>;

/** The process ends by a signal during the call. */
export function crashed(signal: string, details: Details = {}): Ends {
  const pattern = new RegExp(`^plugin hostile crashed with ${signal} during process_endpoint`);
  return { kind: 'ends', outcome: 'crashed', code: 'BW_PLUGIN_CRASHED', signal, pattern, ...details };
}

/** The process crashes because it is out of memory. */
export function outOfMemory(signal: string, details: Details = {}): Ends {
  const pattern = new RegExp(`^plugin hostile crashed with ${signal} .*with little memory left`);
  return { kind: 'ends', outcome: 'oom_suspected', code: 'BW_PLUGIN_MEMORY', signal, pattern, ...details };
}

/** The process is killed at its deadline, and the report says what the process was doing. */
export function timedOut(activity: string): Ends {
  const pattern = new RegExp(
    `^plugin hostile was stopped at its deadline during process_endpoint, ${activity}$`,
  );
  return { kind: 'ends', outcome: 'timeout', code: 'BW_PLUGIN_TIMEOUT', signal: 'SIGKILL', pattern };
}

/** The process is stopped for the CPU time of one call, long before the deadline. */
export function usedUp(limit: string): Ends {
  const pattern = new RegExp(
    `^plugin hostile was stopped during process_endpoint: it used [\\d.]+ s of CPU time in one call, limits\\.cpu_time allows ${limit}$`,
  );
  return { kind: 'ends', outcome: 'timeout', code: 'BW_PLUGIN_TIMEOUT', signal: 'SIGKILL', pattern };
}

/** The process exits with code 0, which is a failure of the call. */
export function exited(): Ends {
  const pattern = /^plugin hostile exited during process_endpoint: .*exit code 0/;
  return { kind: 'ends', outcome: 'exited', code: 'BW_PLUGIN_EXITED', exitStatus: 0, pattern };
}

/** The process is ended for a system call that is never made by mistake. */
export function violated(systemCall?: string): Ends {
  const pattern = new RegExp(`its sandbox forbids ${systemCall ?? 'a system call'}$`);
  const end: Ends = {
    kind: 'ends',
    outcome: 'violation',
    code: 'BW_PLUGIN_VIOLATION',
    signal: 'SIGSYS',
    pattern,
  };
  return systemCall === undefined ? end : { ...end, systemCall, at: PLACE };
}
