import type { RunnerProcess } from '../runner/runner-process.js';

const LOOK_MS = 5;
/** Calls are sent again when the process has had none at so many looks in a row. */
const PAUSED_LOOKS = 3;
/** And after so many looks in any case: calls that take long do not end in time. */
const LOOKS_MAX = 20;

/**
 * Processes that get no calls for a moment, so that the server sees what they do without. Calls go to other
 * processes of the plugin, or wait.
 */
export class HeldProcesses {
  private readonly processes = new Set<RunnerProcess>();

  get size(): number {
    return this.processes.size;
  }

  has(process: RunnerProcess): boolean {
    return this.processes.has(process);
  }

  /** @param released called when it may have calls again */
  hold(process: RunnerProcess, released: () => void): void {
    if (this.processes.has(process)) return;
    this.processes.add(process);
    process.pauses.measureNext();
    let looks = 0;
    let pausedLooks = 0;
    const timer = setInterval(() => {
      looks += 1;
      pausedLooks = process.load === 0 ? pausedLooks + 1 : 0;
      if (process.usable && pausedLooks < PAUSED_LOOKS && looks < LOOKS_MAX) return;
      clearInterval(timer);
      this.processes.delete(process);
      released();
    }, LOOK_MS);
  }
}
