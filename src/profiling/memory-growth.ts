/** Memory of a plugin's processes at one moment of a run. */
export interface MemorySample {
  /** Calls made so far. */
  readonly calls: number;
  readonly residentBytes: number;
  /** Which processes they are: another number once one of them was replaced. */
  readonly processes: number;
  /** Taken soon after a process had started, when its memory grows with any plugin. */
  readonly early: boolean;
}

export interface MemoryGrowth {
  /** Slope of the memory over the calls; what comes and goes evens out. */
  readonly bytesPer1000Calls: number;
  /** Whether it is more than what allocators and page sizes make of a plugin that keeps nothing. */
  readonly grows: boolean;
}

const SAMPLES_MIN = 5;
/** Of the samples of the same processes, at the beginning: caches fill and arenas are set up. */
const WARM_UP = 0.3;
/** Less than this over a whole run is a page here and there. */
const NOISE_BYTES = 256 * 1024;
/** The same for processes that live so shortly that their start is part of what is measured. */
const START_NOISE_BYTES = 4 * 1024 * 1024;
/** How much of the memory's variation the line has to explain. */
const FIT_MIN = 0.8;

/** Of the limit: a process that holds so much has been stopped by it, or is about to be. */
const LIMIT_SHARE = 0.85;

/** Samples of the same processes, over which memory can grow. */
interface Span {
  readonly samples: readonly MemorySample[];
  readonly noiseBytes: number;
}

/** What least squares needs of a span. */
interface Sums {
  calls2: number;
  bytes2: number;
  both: number;
}

/** How a run met the limit of the memory. */
export interface MemoryLimit {
  /** What the processes may have together; 0 for no limit. */
  readonly bytes: number;
  /** Processes that ran out of it. */
  readonly reached: number;
  /** Calls that were answered. */
  readonly answered: number;
}

/** Processes that ran out of memory, from which on it is no accident of one call. */
const REACHED_MIN = 2;

/**
 * Fits lines of one slope by least squares, one line for each set of processes: a leak that reaches the limit
 * and is replaced looks like the teeth of a saw.
 * @returns null when there are too few samples to tell
 */
export function memoryGrowth(
  samples: readonly MemorySample[],
  limit: MemoryLimit = { bytes: 0, reached: 0, answered: 0 },
): MemoryGrowth | null {
  const growth = growthToLimit(samples, limit.bytes) ?? growthByLines(samples);
  if (growth?.grows === true) return growth;
  return growthByFailures(limit) ?? growth;
}

/** Memory that is taken and not used is not resident, and counts towards the limit all the same. */
function growthByFailures({ bytes, reached, answered }: MemoryLimit): MemoryGrowth | null {
  if (bytes === 0 || reached < REACHED_MIN || answered <= reached) return null;
  return { bytesPer1000Calls: ((bytes * reached) / answered) * 1000, grows: true };
}

/** The growth of a plugin that reached its limit and lives on: after that its memory stays as it is. */
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
  return samples.slice(Math.floor(samples.length * WARM_UP));
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
