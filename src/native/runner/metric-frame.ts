import { FrameError } from '../protocol/frames.js';

/** Size of the delta, which comes before the name. */
const DELTA_BYTES = 8;

/**
 * Reads a METRIC frame.
 * @throws FrameError when the name is missing, or the delta is negative or not finite
 */
export function readMetric(payload: Buffer): { name: string; delta: number } {
  if (payload.length <= DELTA_BYTES) throw new FrameError('METRIC frame without a name');
  const delta = payload.readDoubleLE(0);
  if (!(delta >= 0 && delta < Infinity)) throw new FrameError(`METRIC frame with the delta ${delta}`);
  return { name: payload.toString('utf8', DELTA_BYTES), delta };
}
