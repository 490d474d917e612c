import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';

/**
 * Reports when the content of a file has changed and then stayed the same between two polls. Each poll opens
 * the file by its path. The watch therefore notices a file that is edited in place, a file that is replaced by
 * rename, and a symbolic link that points elsewhere, as Kubernetes does with a ConfigMap. Polling is used because
 * it works on every file system; change notifications do not.
 */
export class FileWatch {
  private timer: NodeJS.Timeout | null = null;
  private polling = false;
  /** The file's identity at the last poll. */
  private lastIdentity: string | null = null;
  /** The identity has changed, so the content may have changed too. */
  private unsettled = false;
  private digest: string | null = null;

  constructor(
    private readonly file: string,
    private readonly changed: () => void,
  ) {}

  /** Starts watching from the current content. A watch that is running continues with the new interval. */
  async start(intervalMs: number): Promise<void> {
    clearInterval(this.timer ?? undefined);
    this.timer = setInterval(() => void this.poll(), intervalMs).unref();
    if (this.digest !== null) return;
    this.lastIdentity = await identify(this.file);
    this.digest = await digest(this.file);
  }

  stop(): void {
    clearInterval(this.timer ?? undefined);
    this.timer = null;
    this.digest = null;
  }

  private async poll(): Promise<void> {
    if (this.polling || this.timer === null) return;
    this.polling = true;
    try {
      await this.compare();
    } finally {
      this.polling = false;
    }
  }

  private async compare(): Promise<void> {
    const { lastIdentity } = this;
    this.lastIdentity = await identify(this.file);
    if (this.lastIdentity !== lastIdentity) this.unsettled = true;
    if (this.lastIdentity !== lastIdentity || !this.unsettled || this.lastIdentity === null) return;
    this.unsettled = false;
    const now = await digest(this.file);
    if (now === null || now === this.digest || this.timer === null) return;
    this.digest = now;
    this.changed();
  }
}

/** Device, inode, size and times of the file; null if the file does not exist. */
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
