import type { BackworksError } from '../errors.js';
import type { HookMetrics } from '../metrics/plugin-metrics.js';
import { isPluginFault } from './policies.js';

/** After this many failed calls in a row, the hook counts as failing. */
const FAILING_CALLS = 3;

/** Consecutive failed calls of one hook. A successful call costs one comparison. */
export class FailureStreak {
  private length = 0;

  /** @param changed receives the newest failure when the hook starts failing, and null when a call succeeds again */
  constructor(
    private readonly metrics: HookMetrics,
    private readonly changed: (failure: BackworksError | null) => void,
  ) {}

  /** Counts a failed call. Calls that never reached the plugin do not count. */
  add(error: BackworksError): void {
    if (!isPluginFault(error)) return;
    this.length += 1;
    this.metrics.onSuccess ??= () => this.end();
    if (this.length === FAILING_CALLS) this.changed(error);
  }

  private end(): void {
    const wasFailing = this.length >= FAILING_CALLS;
    this.length = 0;
    if (wasFailing) this.changed(null);
  }
}
