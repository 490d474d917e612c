/** How long the steps of something took, one after another. */
export class StepTimes {
  private readonly steps: Record<string, number> = {};
  private lastMs = performance.now();

  /** A step is done; it began when the one before was. */
  done(step: string): void {
    const nowMs = performance.now();
    this.steps[step] = Math.round((nowMs - this.lastMs) * 1000) / 1000;
    this.lastMs = nowMs;
  }

  /** Milliseconds by step. */
  get milliseconds(): Readonly<Record<string, number>> {
    return { ...this.steps };
  }
}
