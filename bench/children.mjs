import { readdirSync, readFileSync } from 'node:fs';

/** The running child processes of a process. Empty on systems without /proc. */
export function childrenOf(pid) {
  if (process.platform !== 'linux') return [];
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}
