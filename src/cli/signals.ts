import { constants } from 'node:os';

export type StopSignal = 'SIGTERM' | 'SIGINT';

export interface StopSignals {
  /** Resolves with the first request to stop. */
  readonly first: Promise<StopSignal>;
}

/**
 * Listens for requests to stop. The first one is reported, so that the server can drain; the second
 * means "now" and ends the process with 128 + its number, as shells expect. Plugin processes end when
 * this process does.
 */
export function listenForStop(reload: () => void): StopSignals {
  const first = new Promise<StopSignal>((resolve) => {
    let asked = false;
    const onStop = (signal: StopSignal): void => {
      if (asked) process.exit(128 + constants.signals[signal]);
      asked = true;
      resolve(signal);
    };
    process.on('SIGTERM', onStop);
    process.on('SIGINT', onStop);
  });
  process.on('SIGHUP', reload);
  return { first };
}

/**
 * A worker stops when its primary says so: Ctrl-C in a terminal, and a supervisor that ends a whole group,
 * reach every process at the same time.
 */
export function ignoreStopSignals(): void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => undefined);
}
