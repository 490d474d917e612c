import { LatencyRecorder, type LatencySummary } from './latency.js';

const NS_PER_MS = 1_000_000;

/** How the time of calls is divided between the plugin and the server. */
export interface CallTimes {
  /** From the request to the plugin until its answer, measured by the server. */
  readonly call: LatencySummary;
  /** The part spent in the plugin's own function, measured by the plugin's process. */
  readonly plugin: LatencySummary;
  /** The rest of each call: guards, the transfer to the plugin and back, and reading the answer. */
  readonly host: LatencySummary;
}

/** Collects the times of calls, divided between the server and the plugin. */
export class CallTimesRecorder {
  private readonly call = new LatencyRecorder();
  private readonly plugin = new LatencyRecorder();
  private readonly host = new LatencyRecorder();

  /** @param ownNs time in the plugin's function, in nanoseconds */
  record(tookMs: number, ownNs: number): void {
    const ownMs = Math.min(ownNs / NS_PER_MS, tookMs);
    this.call.record(tookMs);
    this.plugin.record(ownMs);
    this.host.record(tookMs - ownMs);
  }

  /** Null when nothing was recorded. */
  summary(): CallTimes | null {
    const [call, plugin, host] = [this.call.summary(), this.plugin.summary(), this.host.summary()];
    return call && plugin && host && { call, plugin, host };
  }
}
