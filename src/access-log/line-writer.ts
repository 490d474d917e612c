import { write } from 'node:fs';
import type { Destination } from './destination.js';

/** Lines that wait for the destination. Further lines are dropped. */
const WAITING_BYTES_MAX = 8 * 1024 * 1024;
/** Lines wait this long for others, so that one write carries many. */
const GATHER_MS = 100;
/** Wait before a full pipe is tried again. */
const RETRY_MS = 20;
/** How long close() waits for the destination. */
const CLOSE_MS = 2000;

/** Whole lines that are written together. */
interface Piece {
  readonly bytes: Buffer;
  readonly lines: number;
}

export interface LineWriterEvents {
  /** Lines were dropped: the destination does not take them fast enough. */
  dropped(): void;
  /** Lines were dropped: the destination failed. */
  failed(error: NodeJS.ErrnoException): void;
}

/**
 * Writes lines in the background. A caller never waits: while the destination takes nothing, up to 8 MiB of lines are
 * kept, and further lines are dropped and counted. sonic-boom, which pino uses, opens files in a way that can block a
 * thread, and its end() has no time limit.
 */
export class LineWriter {
  /** Lines that were not written. */
  dropped = 0;
  private gathered = '';
  private gatheredLines = 0;
  private readonly pieces: Piece[] = [];
  private waitingBytes = 0;
  /** The destination of the write in progress. */
  private writingTo: Destination | null = null;
  private isClosed = false;
  private timer: NodeJS.Timeout | null = null;
  private idle: () => void = () => undefined;

  constructor(
    public destination: Destination,
    private readonly events: LineWriterEvents,
  ) {}

  /** @param line ASCII, with its line end */
  write(line: string): void {
    if (this.waitingBytes + line.length > WAITING_BYTES_MAX) {
      this.dropped += 1;
      this.events.dropped();
      return;
    }
    if (this.gathered.length + line.length > this.destination.pieceBytes) this.closePiece();
    this.gathered += line;
    this.gatheredLines += 1;
    this.waitingBytes += line.length;
    this.timer ??= setTimeout(() => this.flush(), GATHER_MS);
    if (this.pieces.length > 0) this.writeNext();
  }

  /** Continues with another destination. The former one is closed when its last write has ended. */
  redirect(next: Destination): void {
    const former = this.destination;
    this.destination = next;
    if (this.writingTo !== former) former.close();
  }

  /** Writes what waits, for at most two seconds, and closes the destination. Never rejects. */
  async close(): Promise<void> {
    this.flush();
    let late: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.idle = resolve;
      late = setTimeout(resolve, CLOSE_MS);
      if (this.writingTo === null) resolve();
    });
    clearTimeout(late);
    this.isClosed = true;
    for (const { lines } of this.pieces.splice(0)) this.dropped += lines;
    if (this.writingTo === null) this.destination.close();
  }

  private flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.closePiece();
    this.writeNext();
  }

  private closePiece(): void {
    if (this.gatheredLines === 0) return;
    this.pieces.push({ bytes: Buffer.from(this.gathered, 'latin1'), lines: this.gatheredLines });
    this.gathered = '';
    this.gatheredLines = 0;
  }

  private writeNext(): void {
    if (this.writingTo !== null) return;
    const piece = this.pieces.shift();
    if (piece === undefined) {
      this.idle();
      return;
    }
    this.writingTo = this.destination;
    this.writeFrom(piece, 0, this.destination);
  }

  private writeFrom(piece: Piece, start: number, to: Destination): void {
    write(to.fd, piece.bytes, start, piece.bytes.length - start, null, (error, count) => {
      if (error === null && start + count < piece.bytes.length) this.writeFrom(piece, start + count, to);
      else if (error?.code === 'EAGAIN' && to === this.destination && !this.isClosed)
        setTimeout(() => this.writeFrom(piece, start, to), RETRY_MS);
      else this.written(piece, to, error);
    });
  }

  private written(piece: Piece, to: Destination, error: NodeJS.ErrnoException | null): void {
    this.writingTo = null;
    this.waitingBytes -= piece.bytes.length;
    if (to !== this.destination || this.isClosed) to.close();
    if (error !== null) {
      this.dropped += piece.lines;
      this.events.failed(error);
    }
    this.writeNext();
  }
}
