/** Memory of a plugin's processes at one moment of a run. */
export interface MemorySample {
  /** Calls made so far. */
  readonly calls: number;
  readonly residentBytes: number;
  /** Number of the set of processes. It changes when a process is replaced. */
  readonly processes: number;
  /** Taken soon after the start of a process, when memory grows in every plugin. */
  readonly early: boolean;
}

export interface MemoryGrowth {
  /** Slope of the memory over the calls. Memory that is freed again does not count. */
  readonly bytesPer1000Calls: number;
  /** Whether the growth exceeds the noise of allocators and page sizes. */
  readonly grows: boolean;
}

const SAMPLES_MIN = 5;
/** Share of a process's first samples that are ignored, because caches fill and arenas are set up. */
const WARM_UP_SHARE = 0.3;
/** Growth below this over a whole run is noise: single pages. */
const NOISE_BYTES = 256 * 1024;
/** The same for processes with so short a life that the samples include their start. */
const START_NOISE_BYTES = 4 * 1024 * 1024;
/** Share of the memory's variation that the fitted line must explain (R²). */
const FIT_MIN = 0.8;

/** A process that holds this share of its limit has reached the limit or is about to. */
const LIMIT_SHARE = 0.85;

/** Consecutive samples of the same processes. */
interface Span {
  readonly samples: readonly MemorySample[];
  readonly noiseBytes: number;
}

/** Sums of squared deviations, for the least-squares fit. */
interface Sums {
  calls2: number;
  bytes2: number;
  both: number;
}

/** The memory limit of a run, and how often it was reached. */
export interface MemoryLimit {
  /** Limit of all processes together; 0 for no limit. */
  readonly bytes: number;
  /** Processes that reached the limit. */
  readonly reached: number;
  /** Calls that were answered. */
  readonly answered: number;
}

/** From this many processes on, reaching the limit is a leak and not one expensive call. */
const REACHED_MIN = 2;

/**
 * Fits one line for each set of processes by least squares. All lines have the same slope: a leak whose processes
 * are replaced at the limit looks like a sawtooth.
 * @returns null when there are too few samples
 */
export function memoryGrowth(
  samples: readonly MemorySample[],
  limit: MemoryLimit = { bytes: 0, reached: 0, answered: 0 },
): MemoryGrowth | null {
  const growth = growthToLimit(samples, limit.bytes) ?? growthByLines(samples);
  if (growth?.grows === true) return growth;
  return growthByFailures(limit) ?? growth;
}

/** Growth by the number of processes that reached the limit: allocated memory counts before it is resident. */
function growthByFailures({ bytes, reached, answered }: MemoryLimit): MemoryGrowth | null {
  if (bytes === 0 || reached < REACHED_MIN || answered <= reached) return null;
  return { bytesPer1000Calls: ((bytes * reached) / answered) * 1000, grows: true };
}

/** Growth until the limit, for a plugin that survives at its limit: its memory stays constant from then on. */
function growthToLimit(samples: readonly MemorySample[], limitBytes: number): MemoryGrowth | null {
  if (limitBytes === 0) return null;
  const full = samples.find(({ residentBytes }) => residentBytes >= limitBytes * LIMIT_SHARE);
  const first = samples.find(({ processes }) => processes === full?.processes);
  if (full === undefined || first === undefined || full.calls === first.calls) return null;
  const grown = full.residentBytes - first.residentBytes;
  return { bytesPer1000Calls: (grown / (full.calls - first.calls)) * 1000, grows: grown > START_NOISE_BYTES };
}

function growthByLines(samples: readonly MemorySample[]): MemoryGrowth | null {
  const spans = spansOf(samples);
  if (spans.reduce((sum, span) => sum + span.samples.length, 0) < SAMPLES_MIN) return null;
  const total: Sums = { calls2: 0, bytes2: 0, both: 0 };
  for (const { samples: own } of spans) add(total, own);
  const { calls2, bytes2, both } = total;
  if (calls2 === 0) return null;
  const slope = both / calls2;
  const fit = bytes2 === 0 ? 0 : both ** 2 / (calls2 * bytes2);
  const grown = spans.reduce((sum, span) => sum + slope * callsIn(span), 0);
  const noise = spans.reduce((sum, { noiseBytes }) => sum + noiseBytes, 0);
  return { bytesPer1000Calls: slope * 1000, grows: grown > noise && fit >= FIT_MIN };
}

function spansOf(samples: readonly MemorySample[]): Span[] {
  const byProcesses = new Map<number, MemorySample[]>();
  for (const sample of samples)
    byProcesses.set(sample.processes, [...(byProcesses.get(sample.processes) ?? []), sample]);
  return [...byProcesses.values()].flatMap((own) => {
    const settled = afterWarmUp(own.filter(({ early }) => !early));
    if (settled.length >= SAMPLES_MIN) return [{ samples: settled, noiseBytes: NOISE_BYTES }];
    const short = afterWarmUp(own);
    return short.length >= 3 ? [{ samples: short, noiseBytes: START_NOISE_BYTES }] : [];
  });
}

function afterWarmUp(samples: readonly MemorySample[]): readonly MemorySample[] {
  return samples.slice(Math.floor(samples.length * WARM_UP_SHARE));
}

function callsIn({ samples }: Span): number {
  return (samples.at(-1)?.calls ?? 0) - (samples[0]?.calls ?? 0);
}

function add(sums: Sums, samples: readonly MemorySample[]): void {
  const mean = (of: (sample: MemorySample) => number): number =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const callsMean = mean(({ calls }) => calls);
  const bytesMean = mean(({ residentBytes }) => residentBytes);
  for (const { calls, residentBytes } of samples) {
    sums.calls2 += (calls - callsMean) ** 2;
    sums.bytes2 += (residentBytes - bytesMean) ** 2;
    sums.both += (calls - callsMean) * (residentBytes - bytesMean);
  }
}
