/** A process that answers requests, of a server that has several. */
export interface WorkerStatus {
  /** From 1; the one that takes the place of another has its number. */
  readonly worker: number;
  /** Null while there is none. */
  readonly pid: number | null;
  readonly state: 'serving' | 'starting';
  /** When it entered the state. */
  readonly since: Date;
  /** How many ended unasked. */
  readonly failures: number;
  /** The last that ended unasked; null when none did. */
  readonly lastEnd: { readonly time: Date; readonly how: string } | null;
}

export interface WorkerDocument {
  worker: number;
  pid: number | null;
  state: WorkerStatus['state'];
  since: string;
  failures: number;
  last_end: { time: string; how: string } | null;
}

export function workerDocument({ lastEnd, since, ...status }: WorkerStatus): WorkerDocument {
  return {
    worker: status.worker,
    pid: status.pid,
    state: status.state,
    since: since.toISOString(),
    failures: status.failures,
    last_end: lastEnd === null ? null : { time: lastEnd.time.toISOString(), how: lastEnd.how },
  };
}
