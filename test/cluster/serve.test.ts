import { chmodSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { WorkerProcess } from '../../dist/cluster/worker-process.js';
import type { BackworksConfig } from '../../dist/config/types.js';
import { parseConfig } from '../../dist/index.js';
import { compilePlugin } from '../fixtures/compile.js';
import { childrenOf, directory, gone } from './cluster.js';

/** Drives one worker process in the same way as the primary. */
const PROGRAM = fileURLToPath(new URL('../../dist/cli/serve/worker.js', import.meta.url));
const plugin = compilePlugin('config_echo');
chmodSync(directory.path, 0o755);

const configOf = (n: number): BackworksConfig =>
  parseConfig(
    `server: { port: 0 }\nadmin: { enabled: false }\nplugins: { one: { path: ${plugin}, config: { n: ${n} } } }`,
    { directory: directory.path },
  ).config;

function fork(program: string): WorkerProcess {
  return new WorkerProcess({
    program,
    number: 1,
    procedures: () => ({
      state: () => undefined,
      agree: () => Promise.resolve(),
      recordServing: () => Promise.resolve(),
      recordSwap: () => Promise.resolve(),
    }),
  });
}

async function start(): Promise<WorkerProcess> {
  const worker = fork(PROGRAM);
  await worker.ready;
  await worker.call('start', {
    worker: 1,
    primary: process.pid,
    config: configOf(1),
    logging: { level: 'error', format: 'json', access: { format: 'off', file: 'stdout', query: 'omit' } },
    serving: new Map(),
  });
  return worker;
}

test('a worker with a prepared, undecided reload stops and leaves no process behind', async () => {
  const worker = await start();
  const plan = await worker.call('prepare', configOf(2));
  expect(plan.plugins).toMatchObject([{ name: 'one', action: 'swap' }]);
  const family = childrenOf(worker.pid!);
  expect(family.length).toBeGreaterThan(1);
  // The worker answers this call after its plugins have shut down.
  await worker.call('stop');
  await worker.stop();
  await expect(worker.ended).resolves.toBe('exited with 0');
  await gone(family);
});

test('a second prepare() replaces the first one', async () => {
  const worker = await start();
  await worker.call('prepare', configOf(2));
  await worker.call('prepare', configOf(3));
  await expect(worker.call('commit')).resolves.toEqual([]);
  await expect(worker.call('commit')).rejects.toMatchObject({ code: 'BW_INTERNAL' });
  await expect(worker.call('plan', configOf(3))).resolves.toMatchObject({ plugins: [{ action: 'keep' }] });
  await worker.stop();
});

test('a call of an unknown procedure or command fails with its name, and the worker keeps running', async () => {
  const worker = await start();
  const message = (name: string): object => ({
    code: 'BW_INTERNAL',
    message: `unknown procedure "${name}" called between primary and worker`,
  });
  await expect(worker.call('restartAll' as 'heartbeat')).rejects.toMatchObject(message('restartAll'));
  await expect(worker.call('control', 'explode' as 'restart', [])).rejects.toMatchObject(message('explode'));
  await expect(worker.call('heartbeat')).resolves.toBeUndefined();
  await worker.stop();
});

test('the primary kills a worker that breaks the protocol, and `ended` names the violation', async () => {
  const program = directory.write(
    'babbler.mjs',
    `process.send({ kind: 'call', id: 1, name: 'ready', args: [] });
process.on('message', () => process.send('nonsense'));`,
  );
  const worker = fork(program);
  await worker.ready;
  await expect(worker.call('report')).rejects.toMatchObject({ code: 'BW_SERVER_WORKER' });
  await expect(worker.ended).resolves.toBe(
    "broke the protocol (the other process sent an unknown message: 'nonsense') and was killed by SIGKILL",
  );
});
