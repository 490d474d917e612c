import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { PluginStatus } from '../../../../dist/lifecycle/entry/status.js';
import { compilePlugin, compileProgram } from '../../../fixtures/compile.js';

const program = fileURLToPath(new URL('one-start.js', import.meta.url));
const cache = mkdtempSync(join(tmpdir(), 'backworks-limits-'));
chmodSync(cache, 0o755);
afterAll(() => rmSync(cache, { recursive: true, force: true }));

type Started = Pick<PluginStatus, 'state' | 'reason' | 'sandbox' | 'failures' | 'limits'> & {
  warnings: string[];
};

/** Starts a server with one plugin, through a command that changes the system first. */
function startBehind(command: readonly string[], entry: string): Started {
  const yaml = `
server: { port: 0 }
admin: { port: 0 }
plugins: { limited: { path: ${compilePlugin('echo')}, ${entry} } }`;
  const [first = process.execPath, ...more] = [...command, process.execPath, program, yaml];
  const env = { ...process.env, XDG_CACHE_HOME: cache };
  return JSON.parse(execFileSync(first, more, { encoding: 'utf8', env })) as Started;
}

const NO_CLOCK = 'the CPU clock of a process cannot be read, limits.cpu_time and limits.idle_cpu need it';
const NO_PROC = '/proc/PID/status of a process cannot be read, limits.memory needs it to sample memory';

/** A /proc that hides other users' processes, even from a root without the right to see them. */
const HIDDEN_PROC = [
  'unshare',
  '--mount',
  '--pid',
  '--fork',
  '--kill-child',
  'sh',
  '-c',
  'mount -t proc -o hidepid=2 proc /proc && setpriv --bounding-set=-sys_ptrace --regid=65534 --clear-groups "$@"',
  'sh',
];
const canHide = spawnSync(HIDDEN_PROC[0] ?? '', [...HIDDEN_PROC.slice(1), 'true']).status === 0;

describe.each([
  ['without CPU clocks', () => [compileProgram('without_cpu_clock')], NO_CLOCK, 'cpu_clock', true],
  ['where /proc hides processes', () => HIDDEN_PROC, NO_PROC, 'resident_memory', canHide],
] as const)('%s', (_, command, lack, state, possible) => {
  const really = possible ? test : test.skip;

  really('strict refuses a plugin, naming the mechanism and the limit', () => {
    const started = startBehind(command(), '');
    expect(started).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining(`the sandbox of plugin limited cannot be set up: ${lack}`),
    });
  });

  really('best-effort runs it, degraded, and warns', () => {
    const started = startBehind(command(), 'sandbox: best-effort');
    expect(started).toMatchObject({
      state: 'degraded',
      reason: `its sandbox lacks: ${lack}`,
      sandbox: { missing: [lack], states: { [state]: '0' } },
    });
    expect(started.warnings).toContain(`the sandbox of plugin limited is incomplete: ${lack}`);
  });

  really('off runs it and lists nothing', () => {
    const started = startBehind(command(), 'sandbox: off');
    expect(started).toMatchObject({ state: 'ready', sandbox: { missing: [] } });
  });
});

test('limits are reported with the kernel’s values, and limits that cannot be enforced as none', () => {
  const lower = startBehind(['/bin/sh', '-c', 'ulimit -f 2048; exec "$0" "$@"'], '');
  expect(lower).toMatchObject({ state: 'ready', limits: { fileSizeBytes: 1024 ** 2, openFiles: 64 } });
  const blind = startBehind([compileProgram('without_cpu_clock')], 'sandbox: best-effort');
  expect(blind.limits).toMatchObject({ callCpuMs: 0, idleCpuPercent: 0, openFiles: 64 });
  const inside = startBehind([], 'isolation: in-process, trusted: true');
  expect(inside.limits).toMatchObject({
    memoryBytes: 0,
    openFiles: 0,
    callCpuMs: 0,
    replyBytes: 8 * 1024 ** 2,
  });
});

test('strict runs a plugin when every limit can be observed, and reports that', () => {
  expect(startBehind([], '')).toMatchObject({
    state: 'ready',
    sandbox: { missing: [], states: { cpu_clock: '1', resident_memory: '1' } },
  });
});
