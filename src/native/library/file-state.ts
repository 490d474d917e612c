import type { BigIntStats } from 'node:fs';

/** A file that changed this recently may change again without its times telling. */
const SETTLED_AFTER_MS = 2000;

/** Names this state of a file: its place on disk, size and times. Any change to it gives another. */
export function fileState({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}

/** Whether any further change would show in the file's state. */
export function isSettled({ ctimeMs }: BigIntStats): boolean {
  return Date.now() - Number(ctimeMs) > SETTLED_AFTER_MS;
}
