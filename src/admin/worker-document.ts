/** A process that answers requests, in a server with several. */
export interface WorkerStatus {
  /** From 1. A replacement keeps the number. */
  readonly worker: number;
  /** Null while the worker has no process. */
  readonly pid: number | null;
  readonly state: 'serving' | 'starting';
  /** Time of the last state change. */
  readonly since: Date;
  /** Number of unexpected exits. */
  readonly failures: number;
  /** The last unexpected exit; null when there was none. */
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
