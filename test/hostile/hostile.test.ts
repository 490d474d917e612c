import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals';
import { appendFileSync } from 'node:fs';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually, startServer, type TestServer } from '../fixtures/server.js';
import { expectFault } from './expectations.js';
import { Ground } from './ground.js';
import { runnersLeft } from './left-over.js';
import { MATRIX } from './matrix.js';
import type { Observation, Row } from './row.js';

const PATIENCE_MS = 20_000;
const TEST_MS = 60_000;

let ground: Ground;
let server: TestServer | null = null;
beforeEach(() => {
  ground = new Ground();
});
afterEach(async () => {
  await server?.backworks.stop();
  server = null;
  ground.remove();
});
afterAll(() => expect(runnersLeft()).toEqual([]));

/** A configuration with the row's plugin and a plugin that works. */
async function configuration(row: Row): Promise<string> {
  const { callMs = PATIENCE_MS, initializeMs = PATIENCE_MS, entry = '' } = row;
  const more = typeof entry === 'string' ? entry : await entry(ground);
  const timeouts = `{ call: ${callMs}ms, initialize: ${initializeMs}ms }`;
  const compiled = compilePlugin(`hostile/${row.fixture}`);
  const library = row.library?.(compiled, ground) ?? compiled;
  return `
endpoints:
  bad:  { path: /bad, plugin: hostile }
  ok:   { path: /ok, plugin: hostile }
  next: { path: /next, plugin: echo }
plugins:
  hostile:
    { path: ${library}, timeouts: ${timeouts}${more === '' ? '' : `, ${more}`} }
  echo: { path: ${compilePlugin('echo')}, timeouts: { call: ${PATIENCE_MS}ms } }
`;
}

function processOf(server: TestServer): number | null {
  return server.plugin('hostile').processes.find(({ state }) => state === 'ready')?.pid ?? null;
}

/** Checks that both plugins answer their next request, the row's plugin from a new process if the fault ended the first. */
async function expectNextAnswers(row: Row, server: TestServer, before: number | null): Promise<void> {
  const { kind } = row.expected;
  expect(await server.get('/next')).toMatchObject({ status: 200, body: { path: '/next' } });
  if (kind === 'not loaded') return;
  expect(await server.get('/ok')).toMatchObject({ status: 200, body: { ok: true } });
  await eventually(() => server.plugin('hostile').state === 'ready', 'recovery');
  if (kind === 'ends') expect(processOf(server)).not.toBe(before);
  if (kind === 'answers' || kind === 'bad answer') expect(processOf(server)).toBe(before);
}

function record(row: Row, observation: Observation): void {
  const file = process.env['HOSTILE_RESULTS'];
  const { id, does, by, uncaught = null } = row;
  if (file !== undefined)
    appendFileSync(file, `${JSON.stringify({ id, does, by, uncaught, ...observation })}\n`);
}

test.each(MATRIX.map((row) => [row.id, row.does, row] as const))(
  '%s: the server survives a plugin that %s',
  async (_id, _does, row) => {
    server = await startServer(await configuration(row));
    const pid = processOf(server);
    const observation = await expectFault(row.expected, { server, ground, pid });
    await expectNextAnswers(row, server, pid);
    await row.also?.({ server, ground, pid });
    await server.backworks.stop();
    await eventually(() => runnersLeft().length === 0, 'the end of every process');
    record(row, observation);
  },
  TEST_MS,
);
