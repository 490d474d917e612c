import { readdirSync, readFileSync } from 'node:fs';

/** The processes a process has started and that have not ended; none where there is no /proc. */
export function childrenOf(pid) {
  if (process.platform !== 'linux') return [];
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}
