import { expect } from '@jest/globals';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunningCommand } from '../../cli/command.js';
import { eventually } from '../../fixtures/server.js';
import { runnersLeft } from '../left-over.js';
import type { Row, Scene } from '../row.js';

const CHILDREN = 64;

/** State, parent, group and so on of a process, as proc(5) numbers them from 3; none when it is gone. */
function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

function groupOf(leader: number): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => statOf(pid)[2] === String(leader));
}

/** True when the process has used 0.2 s of CPU time, which is more than a start takes. */
function isBusy(pid: number): boolean {
  return Number(statOf(pid)[11] ?? 0) >= 20;
}

/** Also true for zombies, because orphans stay zombies until init reaps them. */
function hasEnded(pid: number): boolean {
  return ['Z', 'X', undefined].includes(statOf(pid)[0]);
}

async function outliveServer({ server, ground }: Scene): Promise<void> {
  const config = join(ground.directory('server'), 'backworks.yaml');
  writeFileSync(
    config,
    `
server: { port: 0 }
admin: { port: 0 }
endpoints: { bad: { path: /bad, plugin: hostile } }
plugins: { hostile: { path: ${server.plugin('hostile').path}, timeouts: { call: 60s, initialize: 20s } } }
`,
  );
  const command = new RunningCommand(['start', '--config', config]);
  try {
    const { url } = await command.logged(/^listening on /);
    const answer = fetch(`${String(url)}/bad`).then(
      () => 'answered',
      () => 'cut off',
    );
    await eventually(() => runnersLeft(command.child.pid).some(isBusy), 'the fault', 20_000);
    const runners = runnersLeft(command.child.pid);
    command.child.kill('SIGKILL');
    expect(await answer).toBe('cut off');
    await eventually(() => runners.every(hasEnded), 'the end of the runners', 1000);
  } finally {
    command.child.kill('SIGKILL');
    await command.finished;
  }
}

/** Plugins that try to outlive the server, and processes that try to outlive their plugin. */
export const LIFETIMES: readonly Row[] = [
  {
    id: 'H50',
    does: 'computes for ever while the server is killed',
    fixture: 'h50_spin',
    by: 'PR_SET_PDEATHSIG',
    expected: {
      kind: 'course',
      run: async (scene) => {
        await outliveServer(scene);
        return { outcome: 'ends with the server', reported: 'nothing; the server has ended' };
      },
    },
  },
  {
    id: 'H51',
    does: 'starts 64 processes, which only sandbox: off allows',
    fixture: 'h51_children',
    by: 'SIGKILL to its process group',
    callMs: 2000,
    entry: 'sandbox: off',
    expected: {
      kind: 'course',
      run: async ({ server, pid }) => {
        const leader = pid as number;
        const answer = server.get('/bad');
        await eventually(() => groupOf(leader).length === CHILDREN + 1, 'the start of 64 processes');
        const family = groupOf(leader);
        expect(await answer).toMatchObject({ status: 504, body: { code: 'BW_PLUGIN_TIMEOUT' } });
        await eventually(() => family.every(hasEnded), 'the end of all processes');
        await eventually(() => server.plugin('hostile').failures.length > 0, 'the post-mortem');
        expect(server.plugin('hostile').failures[0]).toMatchObject({ outcome: 'timeout', signal: 'SIGKILL' });
        return { outcome: 'timeout; all 65 are gone', reported: '`BW_PLUGIN_TIMEOUT` in process_endpoint' };
      },
    },
  },
  {
    id: 'H51',
    does: 'starts 8 processes and crashes, which only sandbox: off allows',
    fixture: 'h51_crash_with_children',
    by: 'SIGKILL to its process group before the process is reaped',
    callMs: 2000,
    entry: 'sandbox: off',
    expected: {
      kind: 'course',
      run: async ({ server, pid }) => {
        const leader = pid as number;
        const answer = server.get('/bad');
        await eventually(() => groupOf(leader).length === 9, 'the start of 8 processes');
        const family = groupOf(leader);
        expect(await answer).toMatchObject({ status: 503, body: { code: 'BW_PLUGIN_CRASHED' } });
        await eventually(() => family.every(hasEnded), 'the end of all processes');
        return { outcome: 'crashed; all 9 are gone', reported: '`BW_PLUGIN_CRASHED` in process_endpoint' };
      },
    },
  },
];
