import { CircuitState, type IBreaker } from 'cockatiel';

/**
 * Opens the circuit when `failures` calls failed within `windowMs`, however many succeeded between
 * them. cockatiel's own breakers count consecutive failures or a rate; an operator thinks in "five
 * failures in half a minute".
 */
export class FailureWindowBreaker implements IBreaker {
  /** Times of the newest failures, in `performance.now()` milliseconds, oldest first. */
  state: number[] = [];

  constructor(
    private readonly failures: number,
    private readonly windowMs: number,
  ) {}

  success(state: CircuitState): void {
    if (state === CircuitState.HalfOpen) this.state = [];
  }

  failure(): boolean {
    const now = performance.now();
    this.state = this.state.filter((at) => now - at < this.windowMs);
    this.state.push(now);
    return this.state.length >= this.failures;
  }
}
