import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Marks a copied library as used by a process, so that no server on the machine prunes it. */
export interface LibraryHold {
  /** Idempotent. Never rejects. */
  release(): Promise<void>;
}

const NAME = /^([0-9a-f]{64})\.(\d+)\.([0-9a-f-]{36})$/;

/** Names of the holds this process made, in any directory. */
const own = new Set<string>();

/**
 * Marks the copies in use. Each hold is an empty file, named by digest, server process and a random part.
 * The holds of a server that ended without cleaning up are ignored, because its process is gone.
 */
export class LibraryHolds {
  private constructor(private readonly directory: string) {}

  static async open(directory: string): Promise<LibraryHolds> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return new LibraryHolds(directory);
  }

  async add(digest: string): Promise<LibraryHold> {
    const name = `${digest}.${process.pid}.${randomUUID()}`;
    own.add(name);
    await writeFile(join(this.directory, name), '', { mode: 0o600, flag: 'wx' });
    return {
      release: async () => {
        if (own.delete(name)) await this.remove(name);
      },
    };
  }

  /** Digests of the libraries in use. */
  async digests(): Promise<Set<string>> {
    const held = new Set<string>();
    for (const name of await readdir(this.directory)) {
      const [, digest, pid] = NAME.exec(name) ?? [];
      if (digest === undefined) continue;
      if (this.isLive(name, Number(pid))) held.add(digest);
      else await this.remove(name);
    }
    return held;
  }

  private isLive(name: string, pid: number): boolean {
    // Process ids are reused: a hold with this id that this process did not make is from an earlier process.
    return pid === process.pid ? own.has(name) : isRunning(pid);
  }

  private async remove(name: string): Promise<void> {
    await rm(join(this.directory, name), { force: true }).catch(() => undefined);
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
