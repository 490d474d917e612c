import { FrameError } from '../protocol/frames.js';

/**
 * Beyond what the requests of one process need: each frame costs the server more than the plugin.
 * @internal exported for its test
 */
export const METRICS_PER_SECOND_MAX = 200_000;
const WINDOW_MS = 1000;
/** The delta, before the name. */
const DELTA_BYTES = 8;

/** Reads the METRIC frames of one process. */
export class MetricReader {
  private frames = 0;
  private windowStartMs = -Infinity;

  /** @throws FrameError when the frame has no name, or too many came within a second */
  read(payload: Buffer): { name: string; delta: number } {
    const now = performance.now();
    if (now - this.windowStartMs >= WINDOW_MS) {
      this.windowStartMs = now;
      this.frames = 0;
    }
    this.frames += 1;
    if (this.frames > METRICS_PER_SECOND_MAX)
      throw new FrameError(`more than ${METRICS_PER_SECOND_MAX} METRIC frames in a second`);
    if (payload.length <= DELTA_BYTES) throw new FrameError('METRIC frame without a name');
    return { name: payload.toString('utf8', DELTA_BYTES), delta: payload.readDoubleLE(0) };
  }
}
