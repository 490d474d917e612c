import type { RunnerProcess } from '../runner/runner-process.js';

const SAMPLE_MS = 5;
/** Calls resume after this many samples in a row without a call in flight. */
const IDLE_SAMPLES = 3;
/** Calls resume after this many samples in any case, because calls in flight may take long. */
const SAMPLES_MAX = 20;

/**
 * Processes from which calls are withheld for a moment, to measure what the processes use without calls.
 * Meanwhile, calls go to other processes of the plugin, or wait.
 */
export class HeldProcesses {
  private readonly processes = new Set<RunnerProcess>();

  get size(): number {
    return this.processes.size;
  }

  has(process: RunnerProcess): boolean {
    return this.processes.has(process);
  }

  /** @param released called when the process may get calls again */
  hold(process: RunnerProcess, released: () => void): void {
    if (this.processes.has(process)) return;
    this.processes.add(process);
    process.pauses.measureNext();
    let samples = 0;
    let idleSamples = 0;
    const timer = setInterval(() => {
      samples += 1;
      idleSamples = process.load === 0 ? idleSamples + 1 : 0;
      if (process.usable && idleSamples < IDLE_SAMPLES && samples < SAMPLES_MAX) return;
      clearInterval(timer);
      this.processes.delete(process);
      released();
    }, SAMPLE_MS);
  }
}
