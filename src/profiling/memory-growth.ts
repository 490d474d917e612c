/** Memory of a plugin's processes at one moment of a run. */
export interface MemorySample {
  /** Calls made so far. */
  readonly calls: number;
  readonly residentBytes: number;
}

export interface MemoryGrowth {
  /** Slope of the memory over the calls; what comes and goes evens out. */
  readonly bytesPer1000Calls: number;
  /** Whether it is more than what allocators and page sizes make of a plugin that keeps nothing. */
  readonly grows: boolean;
}

const SAMPLES_MIN = 5;
/** Of the samples, at the beginning: caches fill and arenas are set up. */
const WARM_UP = 0.3;
/** Less than this over a whole run is a page here and there. */
const NOISE_BYTES = 256 * 1024;
/** How much of the memory's variation the line has to explain. */
const FIT_MIN = 0.8;

/** Fits a line by least squares; null when there are too few samples to tell. */
export function memoryGrowth(samples: readonly MemorySample[]): MemoryGrowth | null {
  const settled = samples.slice(Math.floor(samples.length * WARM_UP));
  if (settled.length < SAMPLES_MIN) return null;
  const mean = (of: (sample: MemorySample) => number): number =>
    settled.reduce((sum, sample) => sum + of(sample), 0) / settled.length;
  const callsMean = mean(({ calls }) => calls);
  const bytesMean = mean(({ residentBytes }) => residentBytes);
  let calls2 = 0;
  let bytes2 = 0;
  let both = 0;
  for (const { calls, residentBytes } of settled) {
    calls2 += (calls - callsMean) ** 2;
    bytes2 += (residentBytes - bytesMean) ** 2;
    both += (calls - callsMean) * (residentBytes - bytesMean);
  }
  if (calls2 === 0) return null;
  const slope = both / calls2;
  const range = (settled.at(-1)?.calls ?? 0) - (settled[0]?.calls ?? 0);
  const fit = bytes2 === 0 ? 0 : both ** 2 / (calls2 * bytes2);
  return { bytesPer1000Calls: slope * 1000, grows: slope * range > NOISE_BYTES && fit >= FIT_MIN };
}
