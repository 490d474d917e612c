import { readdirSync, readFileSync } from 'node:fs';

/** Process ids of the runners of a server (default: this process) and of their children, orphans and zombies included. */
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
  // A process that a runner forked has the runner's command line. A zombie has only its parent and its name.
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
