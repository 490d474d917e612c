import koffi from 'koffi';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BackworksError } from '../../errors.js';
import { ANSWER_RING_SIZE, CANCEL_SLOTS, RUNNING_SLOT_SIZE, Shared } from './protocol.js';

const MFD_CLOEXEC = 1;
const SLOT_BYTES = 4;

/** The call that a thread of the runner began last. It may have been answered since. */
export interface RunningSlot {
  readonly id: number;
  /** The system's id of the thread. */
  readonly thread: number;
  readonly runningForMs: number;
}

/**
 * The memory shared with a runner. After the runner was killed it still holds which calls had begun, and the
 * answers that were not sent. The server reads it through the descriptor, so that no mapping can outlive its
 * file.
 */
export class SharedPage {
  /** Whether the runner writes to it. Otherwise nothing is known, and every call counts as begun. */
  readonly isShared = process.platform !== 'win32';
  readonly descriptor: number;
  private open = true;

  /** @throws BackworksError BW_RUNNER_START when the system has no descriptor or memory left. */
  constructor() {
    try {
      this.descriptor = createFile();
      ftruncateSync(this.descriptor, Shared.SIZE);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new BackworksError('BW_RUNNER_START', `shared memory for a runner cannot be created: ${why}`, {
        hint: 'check the limits of open files and memory',
        cause,
      });
    }
  }

  /** The id of the newest call that has begun; 0 when none has. */
  begun(): number {
    return this.read(Shared.BEGUN, 4).readUInt32LE();
  }

  /** The calls that the runner's threads began last. @param slots number of threads, with the serving thread */
  running(slots: number): RunningSlot[] {
    const bytes = this.read(Shared.RUNNING, slots * RUNNING_SLOT_SIZE);
    // On Linux both sides read CLOCK_MONOTONIC. Elsewhere a call counts as running for ever.
    const nowUs = process.platform === 'linux' ? process.hrtime.bigint() / 1000n : null;
    return Array.from({ length: slots }, (_, slot) => {
      const at = slot * RUNNING_SLOT_SIZE;
      const ranUs = nowUs === null ? Infinity : Number(nowUs - bytes.readBigUInt64LE(at + 8));
      return {
        id: bytes.readUInt32LE(at),
        thread: bytes.readUInt32LE(at + 4),
        runningForMs: ranUs / 1000,
      };
    });
  }

  /** The id of the call whose thread ended the process; 0 when it is unknown. */
  endedBy(): number {
    return this.read(Shared.ENDED_BY, 4).readUInt32LE();
  }

  /** Asks the runner not to begin a call. The runner may have begun the call in the meantime. */
  cancel(id: number): void {
    if (!this.open) return;
    const slot = Buffer.alloc(SLOT_BYTES);
    slot.writeUInt32LE(id);
    writeSync(this.descriptor, slot, 0, SLOT_BYTES, Shared.CANCELLED + (id % CANCEL_SLOTS) * SLOT_BYTES);
  }

  /** Sets how many bytes of log lines the runner may send in a second. */
  setLogRate(bytesPerSecond: number): void {
    if (!this.open) return;
    const rate = Buffer.alloc(4);
    // 0 would mean no limit.
    rate.writeUInt32LE(Math.min(Math.max(Math.trunc(bytesPerSecond), 1), 0xffff_ffff));
    writeSync(this.descriptor, rate, 0, rate.length, Shared.LOG_RATE);
  }

  /**
   * Bytes of answers that the runner produced but that did not arrive. Call it after the process has ended.
   * @param received number of bytes that arrived
   * @returns empty when the ring no longer holds all of them
   */
  undelivered(received: number): Buffer {
    const produced = Number(this.read(Shared.PRODUCED, 8).readBigUInt64LE());
    const missing = produced - received;
    if (!(missing > 0 && missing <= ANSWER_RING_SIZE)) return Buffer.alloc(0);
    const ring = this.read(Shared.RING, ANSWER_RING_SIZE);
    const start = received % ANSWER_RING_SIZE;
    const straight = ring.subarray(start, start + missing);
    return Buffer.concat([straight, ring.subarray(0, missing - straight.length)]);
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    closeSync(this.descriptor);
  }

  private read(offset: number, size: number): Buffer {
    const buffer = Buffer.alloc(size);
    if (this.open) readSync(this.descriptor, buffer, 0, size, offset);
    return buffer;
  }
}

let memfdCreate: ((name: string, flags: number) => number) | null = null;

/** Creates an anonymous file. @throws Error of the system when no descriptors are left. */
function createFile(): number {
  if (process.platform === 'linux') {
    memfdCreate ??= koffi.load(null).func('memfd_create', 'int', ['str', 'unsigned int']);
    const descriptor = memfdCreate('backworks-runner', MFD_CLOEXEC);
    if (descriptor >= 0) return descriptor;
  }
  const directory = mkdtempSync(join(tmpdir(), 'backworks-'));
  try {
    return openSync(join(directory, 'shared'), 'wx+', 0o600);
  } finally {
    // Windows removes the file when the last descriptor is closed.
    rmSync(directory, { recursive: true, force: true });
  }
}
