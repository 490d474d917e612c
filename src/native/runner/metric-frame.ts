import { FrameError } from '../protocol/frames.js';

/** The delta, before the name. */
const DELTA_BYTES = 8;

/**
 * Reads a METRIC frame. A runner sends finite deltas only, none below 0.
 * @throws FrameError when there is no name, or another delta
 */
export function readMetric(payload: Buffer): { name: string; delta: number } {
  if (payload.length <= DELTA_BYTES) throw new FrameError('METRIC frame without a name');
  const delta = payload.readDoubleLE(0);
  if (!(delta >= 0 && delta < Infinity)) throw new FrameError(`METRIC frame that adds ${delta}`);
  return { name: payload.toString('utf8', DELTA_BYTES), delta };
}
