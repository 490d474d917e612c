import type { BackworksError } from '../errors.js';
import type { HookMetrics } from '../metrics/plugin-metrics.js';
import { isPluginFault } from './policies.js';

/** Calls of a hook that have to fail one after the other before the hook counts as failing. */
const FAILING_CALLS = 3;

/** Calls of one hook that failed one after the other. A call that succeeds costs one comparison. */
export class FailureStreak {
  private length = 0;

  /** @param changed is told the newest failure when the hook starts failing, and null when a call succeeds again */
  constructor(
    private readonly metrics: HookMetrics,
    private readonly changed: (failure: BackworksError | null) => void,
  ) {}

  /** A call failed. Calls that never reached the plugin do not count. */
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
