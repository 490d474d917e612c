import type { Chaos } from './chaos.js';
import type { FailedRequest } from './traffic.js';

/** Time after the deadline of a call in which the server kills and replaces a stopped process. */
const STOP_GRACE_MS = 2500;
const KEPT_MAX = 20;

/**
 * Sorts failed requests into expected and unexpected failures. Only two kinds are expected, both on the endpoint
 * of the weather plugin: one BW_PLUGIN_CRASHED per SIGKILL (the running call), and late calls while a process of
 * that plugin is stopped. Failures of other endpoints are unexpected, because their hook is optional and skipped.
 */
export class Verdict {
  crashed = 0;
  late = 0;
  unexpected = 0;
  /** The first unexpected failures. */
  readonly kept: string[] = [];

  constructor(
    private readonly chaos: () => Chaos,
    private readonly callMs: number,
  ) {}

  judge(failure: FailedRequest): void {
    const chaos = this.chaos();
    const ofWeather = failure.path.startsWith('/weather/');
    const stopEndsAtMs = chaos.weatherStoppedAtMs + 2 * this.callMs + STOP_GRACE_MS;
    if (ofWeather && failure.code === 'BW_PLUGIN_CRASHED' && this.crashed < chaos.weatherKills) {
      this.crashed += 1;
    } else if (ofWeather && LATE.includes(failure.code) && failure.atMs < stopEndsAtMs) {
      this.late += 1;
    } else {
      this.note(`${failure.path}: ${failure.status} ${failure.code} ${failure.detail}`);
    }
  }

  note(text: string): void {
    this.unexpected += 1;
    if (this.kept.length < KEPT_MAX) this.kept.push(text);
  }
}

const LATE = ['BW_PLUGIN_TIMEOUT', 'BW_PLUGIN_OVERLOADED', 'BW_PLUGIN_UNAVAILABLE'];
