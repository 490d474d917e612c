import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ownCache } from '../../fixtures/cache.js';
import { compilePlugin } from '../../fixtures/compile.js';
import { eventually, startServer, type TestServer } from '../../fixtures/server.js';

ownCache();

/** The server’s own listener, like that of the command line. */
const onTerm = (): void => undefined;
beforeAll(() => void process.on('SIGTERM', onTerm));
afterAll(() => void process.off('SIGTERM', onTerm));

/** Signals that the process catches, ignores and blocks, from /proc. */
function signals(): Record<'SigCgt' | 'SigIgn' | 'SigBlk', bigint> {
  const status = readFileSync('/proc/self/status', 'utf8');
  const set = (name: string): bigint =>
    BigInt(`0x${new RegExp(`^${name}:\t(\\w+)$`, 'm').exec(status)?.[1] ?? ''}`);
  return { SigCgt: set('SigCgt'), SigIgn: set('SigIgn'), SigBlk: set('SigBlk') };
}

function start(config = '{}'): Promise<TestServer> {
  const path = compilePlugin('handles_signals');
  return startServer(`
plugins: { signals: { path: ${path}, isolation: in-process, trusted: true, config: ${config}, timeouts: { call: 10s } } }
`);
}

const warnings = (server: TestServer): string[] =>
  server.log
    .filter(({ level, fields }) => level === 'warn' && fields['plugin'] === 'signals')
    .map(({ message }) => message);

const PUT_BACK =
  "replaced the server's handlers of SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE; they were put back";

test('restores handlers that a plugin replaces in initialize(), with a warning', async () => {
  const before = signals();
  const server = await start('{ at: initialize }');
  expect(signals()).toEqual(before);
  expect(warnings(server)).toEqual([`plugin signals ${PUT_BACK}`]);
  await server.backworks.stop();
});

test('restores handlers that a first call, a later call or a thread replaces', async () => {
  const server = await start();
  const before = signals();
  for (const path of ['/handle', '/handle', '/thread']) {
    const warned = warnings(server).length;
    expect((await server.get(path)).status).toBe(200);
    await eventually(() => warnings(server).length > warned, `the warning of ${path}`);
    expect(warnings(server).at(-1)).toContain(PUT_BACK);
    expect(signals()).toEqual(before);
  }
  await server.backworks.stop();
});

test('unblocks a signal that a plugin blocks', async () => {
  const server = await start();
  const before = signals();
  await server.get('/block');
  await eventually(() => warnings(server).length > 0, 'the warning');
  expect(warnings(server)).toEqual([
    "plugin signals changed the signal mask of the server's thread; it was put back",
  ]);
  expect(signals()).toEqual(before);
  await server.backworks.stop();
});

test('keeps a plugin’s handler for crashes, and names it in a warning', async () => {
  const server = await start();
  await server.get('/crash-handler');
  expect(warnings(server)).toEqual([
    'plugin signals handles SIGSEGV for the whole server: a crash may go unseen',
  ]);
  await server.backworks.stop();
});

test('does not mistake the server’s own listeners for changes by a plugin', async () => {
  const server = await start();
  const bit = 1n << BigInt(constants.signals.SIGINT - 1);
  const listener = (): void => undefined;
  process.on('SIGINT', listener);
  await server.get('/nothing');
  expect(signals().SigCgt & bit).toBe(bit);
  process.off('SIGINT', listener);
  expect(warnings(server)).toEqual([]);
  await server.backworks.stop();
});
