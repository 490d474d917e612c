/**
 * Each server is a process of its own: handlers of signals belong to a process, and jest runs many test files in one.
 */
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { RunningCommand, scratch } from '../../cli/command.js';
import { ownCache } from '../../fixtures/cache.js';
import { compilePlugin } from '../../fixtures/compile.js';

ownCache();
const directory = scratch();
const running: RunningCommand[] = [];
afterAll(() => directory.remove());
afterEach(async () => {
  for (const { child } of running) child.kill('SIGKILL');
  await Promise.all(running.splice(0).map(({ finished }) => finished));
});

type Signals = Record<'SigCgt' | 'SigIgn' | 'SigBlk', bigint>;

interface Server {
  get(path: string): Promise<void>;
  /** Signals that the process catches, ignores and blocks in its first thread, from /proc. */
  signals(): Signals;
  /** Warnings about the plugin so far. */
  warnings(): string[];
  /** Resolves to the warnings once there are this many. */
  warned(count: number): Promise<string[]>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves to the exit code. */
  readonly ended: Promise<number | null>;
}

/** @param imports modules that the server loads first */
async function start(config = '{}', imports: readonly string[] = []): Promise<Server> {
  const file = directory.write(
    'backworks.yaml',
    `
server: { port: 0 }
admin: { enabled: false }
plugins:
  signals:
    path: ${compilePlugin('handles_signals')}
    isolation: in-process
    trusted: true
    config: ${config}
    timeouts: { call: 10s }
`,
  );
  const server = new RunningCommand(['start', '--config', file], { imports });
  running.push(server);
  const { url } = await server.logged(/^listening on /);
  const warnings = (): string[] =>
    server.log
      .filter(({ level, plugin }) => level === 'warn' && plugin === 'signals')
      .map(({ msg }) => String(msg));
  return {
    warnings,
    async get(path) {
      expect((await fetch(String(url) + path)).status).toBe(200);
    },
    signals() {
      const status = readFileSync(`/proc/${server.child.pid}/status`, 'utf8');
      const set = (name: string): bigint =>
        BigInt(`0x${new RegExp(`^${name}:\t(\\w+)$`, 'm').exec(status)?.[1] ?? ''}`);
      return { SigCgt: set('SigCgt'), SigIgn: set('SigIgn'), SigBlk: set('SigBlk') };
    },
    warned: (count) =>
      server.until(() => (warnings().length >= count ? warnings() : undefined), `${count} warnings`),
    kill: (signal) => void server.child.kill(signal),
    ended: server.finished.then(({ code }) => code),
  };
}

const PUT_BACK =
  "replaced the server's handlers of SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE; they were put back";

const has = (set: bigint, name: NodeJS.Signals): boolean =>
  (set & (1n << BigInt(constants.signals[name] - 1))) !== 0n;

test('restores handlers that a plugin replaces in initialize(), with a warning', async () => {
  const server = await start('{ at: initialize }');
  expect(server.warnings()).toEqual([`plugin signals ${PUT_BACK}`]);
  // The server ends as ever: the handler of the plugin would have swallowed the signal.
  server.kill('SIGTERM');
  expect(await server.ended).toBe(0);
});

test('restores handlers that a first call, a later call or a thread replaces', async () => {
  const server = await start();
  const before = server.signals();
  let count = 0;
  for (const path of ['/handle', '/handle', '/thread']) {
    await server.get(path);
    expect((await server.warned(++count)).at(-1)).toContain(PUT_BACK);
    expect(server.signals()).toEqual(before);
  }
});

test('unblocks a signal that a plugin blocks', async () => {
  const server = await start();
  const before = server.signals();
  await server.get('/block');
  expect(await server.warned(1)).toEqual([
    "plugin signals changed the signal mask of the server's thread; it was put back",
  ]);
  expect(server.signals()).toEqual(before);
});

test('keeps a plugin’s handler for crashes, and names it in a warning', async () => {
  const server = await start();
  await server.get('/crash-handler');
  expect(await server.warned(1)).toEqual([
    'plugin signals handles SIGSEGV for the whole server: a crash may go unseen',
  ]);
  expect(has(server.signals().SigCgt, 'SIGSEGV')).toBe(true);
});

test('does not mistake a listener that the server adds for a change by a plugin', async () => {
  const adds = directory.write(
    'adds-listener.mjs',
    "process.once('SIGWINCH', () => process.on('SIGUSR2', () => undefined));",
  );
  const server = await start('{}', [adds]);
  expect(has(server.signals().SigCgt, 'SIGUSR2')).toBe(false);
  server.kill('SIGWINCH');
  while (!has(server.signals().SigCgt, 'SIGUSR2')) await setTimeout(10);
  await server.get('/nothing');
  expect(has(server.signals().SigCgt, 'SIGUSR2')).toBe(true);
  expect(server.warnings()).toEqual([]);
});
