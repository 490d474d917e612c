/** Measures consecutive steps. */
export class StepTimes {
  private readonly steps: Record<string, number> = {};
  private lastMs = performance.now();

  /** Ends a step. Its time counts from the end of the previous step. */
  done(step: string): void {
    const nowMs = performance.now();
    this.steps[step] = Math.round((nowMs - this.lastMs) * 1000) / 1000;
    this.lastMs = nowMs;
  }

  /** Step → milliseconds. */
  get milliseconds(): Readonly<Record<string, number>> {
    return { ...this.steps };
  }
}
