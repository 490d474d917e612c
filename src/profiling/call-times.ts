import { LatencyRecorder, type LatencySummary } from './latency.js';

const NS_PER_MS = 1_000_000;

/** Where the time of calls went. */
export interface CallTimes {
  /** From asking the plugin to its answer, as the server sees it. */
  readonly call: LatencySummary;
  /** Of that, the plugin's own function, by the clock of the process it runs in. */
  readonly plugin: LatencySummary;
  /** Of that, the rest, call by call: guards, the way there and back, and reading the answer. */
  readonly host: LatencySummary;
}

/** Collects calls by what the server and the plugin had of each. */
export class CallTimesRecorder {
  private readonly call = new LatencyRecorder();
  private readonly plugin = new LatencyRecorder();
  private readonly host = new LatencyRecorder();

  /** @param ownNs what the plugin's function took, in nanoseconds */
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
