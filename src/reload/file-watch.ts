import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';

/**
 * Tells when the content of a file is another one and has stayed so between two looks. It asks for the
 * file by its name each time, so it makes no difference whether an editor writes into it, renames another
 * one over it, or a link on the way is turned elsewhere, as Kubernetes does with a ConfigMap. Looking
 * works on every file system; a notification does not.
 */
export class FileWatch {
  private timer: NodeJS.Timeout | null = null;
  private looking = false;
  /** What identified the file when it was looked at last. */
  private seen: string | null = null;
  /** It was another one than the time before, so its content may be. */
  private unsettled = false;
  private digest: string | null = null;

  constructor(
    private readonly file: string,
    private readonly changed: () => void,
  ) {}

  /** Begins, with the content there is now; or goes on at another interval. */
  async start(intervalMs: number): Promise<void> {
    clearInterval(this.timer ?? undefined);
    this.timer = setInterval(() => void this.look(), intervalMs).unref();
    if (this.digest !== null) return;
    this.seen = await identify(this.file);
    this.digest = await digest(this.file);
  }

  stop(): void {
    clearInterval(this.timer ?? undefined);
    this.timer = null;
    this.digest = null;
  }

  private async look(): Promise<void> {
    if (this.looking || this.timer === null) return;
    this.looking = true;
    try {
      await this.compare();
    } finally {
      this.looking = false;
    }
  }

  private async compare(): Promise<void> {
    const { seen } = this;
    this.seen = await identify(this.file);
    if (this.seen !== seen) this.unsettled = true;
    if (this.seen !== seen || !this.unsettled || this.seen === null) return;
    this.unsettled = false;
    const now = await digest(this.file);
    if (now === null || now === this.digest || this.timer === null) return;
    this.digest = now;
    this.changed();
  }
}

/** Null when there is no such file. */
async function identify(file: string): Promise<string | null> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(':');
  } catch {
    return null;
  }
}

async function digest(file: string): Promise<string | null> {
  try {
    return createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
  } catch {
    return null;
  }
}
