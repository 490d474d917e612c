import { FrameError } from './frames.js';
import {
  FRAME_PAYLOAD_MAX,
  KV_KEY_MAX,
  KV_VALUE_MAX,
  LOG_TEXT_MAX,
  RunnerFrame,
  ServiceFrame,
} from './protocol.js';

/** How many frames of one type a process may send. More frames break the protocol. */
export type FrameAllowance =
  /** One for each call that has no answer yet; up to three for a batch. The connection matches them. */
  | { readonly per: 'call' }
  | { readonly per: 'process'; readonly frames: number }
  | { readonly per: 'second'; readonly frames: number };

export interface FrameBudget {
  /** Longest payload in bytes. */
  readonly payloadBytes: number;
  readonly allowance: FrameAllowance;
}

const PER_CALL: FrameAllowance = { per: 'call' };

/** A runner reports at most 64 different refusals, each of them again when its count has grown fourfold. */
const REFUSALS_MAX = 64 * 17;

/**
 * The frames a runner sends, and the budget of each. A plugin shares the process with the runner, so it can send any
 * of them in the runner's name. A type that is not in the table is unknown, and breaks the protocol.
 *
 * Two types have a second bound, which depends on the configuration: REPLY has limits.reply, and LOG has
 * limits.log_rate (`PluginOutput.frame`). Requests to the server are counted by `HostServices`. How often the server reads a
 * stream has a bound too (`ReadPace`).
 * @internal exported for its test
 */
export const FRAME_BUDGETS: Readonly<Record<number, FrameBudget>> = {
  [RunnerFrame.HELLO]: { payloadBytes: 0, allowance: { per: 'process', frames: 1 } },
  [RunnerFrame.READY]: { payloadBytes: 64 * 1024, allowance: PER_CALL },
  [RunnerFrame.LOADED]: { payloadBytes: FRAME_PAYLOAD_MAX, allowance: PER_CALL },
  [RunnerFrame.STATUS]: { payloadBytes: LOG_TEXT_MAX, allowance: PER_CALL },
  [RunnerFrame.REPLY]: { payloadBytes: FRAME_PAYLOAD_MAX, allowance: PER_CALL },
  [RunnerFrame.EMPTY]: { payloadBytes: 0, allowance: PER_CALL },
  [RunnerFrame.FAILED]: { payloadBytes: LOG_TEXT_MAX, allowance: PER_CALL },
  [RunnerFrame.LOG]: { payloadBytes: LOG_TEXT_MAX, allowance: { per: 'second', frames: 50_000 } },
  [RunnerFrame.METRIC]: { payloadBytes: 8 + 64, allowance: { per: 'second', frames: 200_000 } },
  [RunnerFrame.REFUSED]: { payloadBytes: 512, allowance: { per: 'process', frames: REFUSALS_MAX } },
  // The last frame of a process: whatever follows it breaks the protocol.
  [RunnerFrame.CRASHED]: { payloadBytes: 4096, allowance: { per: 'process', frames: 1 } },
};

/** Longest payloads of the frames a runner sends. @param replyBytesMax limits.reply */
export function runnerPayloads(replyBytesMax: number): Readonly<Record<number, number>> {
  const payloads = Object.fromEntries(
    Object.entries(FRAME_BUDGETS).map(([type, { payloadBytes }]) => [type, payloadBytes]),
  );
  return { ...payloads, [RunnerFrame.REPLY]: Math.min(replyBytesMax, FRAME_PAYLOAD_MAX) };
}

/** The number of seconds that opens KV_SET. */
export const KV_TTL_BYTES = 4;

/** Longest payloads on the socket for requests. Each string ends with a NUL byte. */
export const SERVICE_PAYLOADS: Readonly<Record<number, number>> = {
  [ServiceFrame.OPERATION]: FRAME_PAYLOAD_MAX,
  [ServiceFrame.HTTP_FETCH]: FRAME_PAYLOAD_MAX,
  [ServiceFrame.KV_GET]: KV_KEY_MAX + 1,
  [ServiceFrame.KV_SET]: KV_TTL_BYTES + KV_KEY_MAX + 1 + KV_VALUE_MAX + 1,
};

/** Length of the windows in which frames and requests are counted. */
const BUDGET_WINDOW_MS = 1000;

/** Counts the frames of one type that a process sends. */
class FrameCount {
  private frames = 0;
  private windowStartMs = performance.now();

  constructor(
    private readonly name: string,
    private readonly allowance: Exclude<FrameAllowance, { readonly per: 'call' }>,
  ) {}

  /** @throws FrameError when there are more frames than the budget allows */
  add(): void {
    this.frames += 1;
    if (this.frames > this.allowance.frames) this.beginWindow();
  }

  /** Reads the clock only when a window is full, so a frame costs no system call. */
  private beginWindow(): void {
    const { name, allowance } = this;
    if (allowance.per === 'process') throw new FrameError(`more than ${allowance.frames} ${name} frames`);
    const nowMs = performance.now();
    if (nowMs - this.windowStartMs < BUDGET_WINDOW_MS)
      throw new FrameError(`more than ${allowance.frames} ${name} frames in a second`);
    this.windowStartMs = nowMs;
    this.frames = 1;
  }
}

/** Enforces the budgets of one process for the frames that are counted. */
export class FrameCounts {
  private readonly counts = new Map<number, FrameCount>();

  constructor() {
    for (const [name, type] of Object.entries(RunnerFrame)) {
      const { allowance } = FRAME_BUDGETS[type]!;
      if (allowance.per !== 'call') this.counts.set(type, new FrameCount(name, allowance));
    }
  }

  /**
   * Counts a frame. Frames that answer calls are not counted here.
   * @throws FrameError when the process has sent too many of its type
   */
  add(type: number): void {
    this.counts.get(type)?.add();
  }
}
