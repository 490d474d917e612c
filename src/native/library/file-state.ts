import type { BigIntStats } from 'node:fs';

/** A file that changed this recently may change again within the resolution of its times. */
const SETTLED_AFTER_MS = 2000;

/** Identifies the state of a file by device, inode, size and times. Any change gives another text. */
export function fileState({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}

/** Whether every further change would alter the file's state. */
export function isSettled({ ctimeMs }: BigIntStats): boolean {
  return Date.now() - Number(ctimeMs) > SETTLED_AFTER_MS;
}
