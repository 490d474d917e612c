import { readdirSync, readFileSync } from 'node:fs';

/** Runners of a server, this process by default, and what came of them: its children, orphans and zombies. */
export function runnersLeft(server: number = process.pid): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isRunnerOf(server, pid));
}

/** True when there is no such process, not even a zombie. */
export function isGone(pid: number): boolean {
  return textOf(pid, 'stat') === '';
}

function isRunnerOf(server: number, pid: number): boolean {
  // A process that a runner forked has its command line; a zombie has none, but a parent and a name.
  if (textOf(pid, 'cmdline').includes(`\0--parent\0${server}\0`)) return true;
  const [, name = '', parent = ''] = /^\d+ \((.*)\) \w (\d+)/s.exec(textOf(pid, 'stat')) ?? [];
  return name.startsWith('backworks-runn') && Number(parent) === server;
}

function textOf(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}
