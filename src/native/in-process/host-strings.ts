import koffi from 'koffi';

/**
 * Strings of one plugin that stay valid at the same time. A string belongs to the thread that asked for it until
 * this thread asks again, but the host does not know the thread.
 */
const KEPT_MAX = 64;

/** Strings that the host returns to a plugin in this process. The oldest one is freed when there are too many. */
export class HostStrings {
  private readonly kept: unknown[] = [];

  /** Copies a text to memory that does not move, with its final NUL. @returns the address */
  keep(text: string): unknown {
    const bytes = Buffer.from(`${text}\0`);
    const memory: unknown = koffi.alloc('char', bytes.length);
    bytes.copy(Buffer.from(koffi.view(memory, bytes.length)));
    this.kept.push(memory);
    if (this.kept.length > KEPT_MAX) koffi.free(this.kept.shift());
    return memory;
  }
}
