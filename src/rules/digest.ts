import { createHash } from 'node:crypto';

/** A text of 43 characters that stands for another one. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
