import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { createBackworks, parseConfig } from '../../dist/index.js';
import { eventually } from '../fixtures/server.js';
import { seeds } from './seeds.js';

/** A server with hostile runners. A seed determines the frames of a runner; see seeds(). */
const SEEDS = 20;
const REQUESTS_AT_ONCE = 4;
const MEMORY_GROWTH_MAX_BYTES = 512 * 1024 * 1024;

const root = fileURLToPath(new URL('../..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'backworks-fuzz-'));
const program = join(directory, 'hostile-runner');
const inherited = process.env['BACKWORKS_RUNNER'];
const escaped: unknown[] = [];
const note = (error: unknown): void => void escaped.push(error);

beforeAll(() => {
  const sources = ['runner.c', 'wire.c'].map((name) => join(root, 'test/fuzz/hostile', name));
  execFileSync('cc', ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-O1', '-g', '-o', program, ...sources]);
  process.on('unhandledRejection', note);
  process.on('uncaughtException', note);
});

afterAll(() => {
  process.off('unhandledRejection', note);
  process.off('uncaughtException', note);
  if (inherited === undefined) delete process.env['BACKWORKS_RUNNER'];
  else process.env['BACKWORKS_RUNNER'] = inherited;
  rmSync(directory, { recursive: true, force: true });
});

/** Codes in the log. The log itself is not recorded, because a runner determines its length. */
const codes = new Set<string>();
const keep = (fields: object): void => {
  if ('code' in fields) codes.add(String(fields.code));
};
const log = { debug: keep, info: keep, warn: keep, error: keep };

const configuration = `
server: { port: 0 }
admin: { port: 0 }
endpoints:
  lies: { path: /lies, plugin: liar }
  fine: { path: /fine, response: { status: 200, body: { fine: true } } }
plugins:
  liar:
    path: ${compilePlugin('echo')}
    timeouts: { call: 40ms, initialize: 150ms, shutdown: 50ms }
`;

/** Process ids of the runners with this name, zombies included. */
function runnersLeft(name: string): string[] {
  return readdirSync('/proc').filter((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      return readFileSync(`/proc/${entry}/stat`, 'utf8').includes(`(${name})`);
    } catch {
      return false;
    }
  });
}

/** Codes with which the server may report a hostile runner. Any other code is a defect of the server. */
const EXPECTED_CODE = /^BW_(PLUGIN_[A-Z_]+|RUNNER_VERSION|ROUTE_NOT_FOUND)$/;

async function request(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(20_000) });
  await response.arrayBuffer();
  expect(response.status).toBeGreaterThanOrEqual(200);
  expect(response.status).not.toBe(500);
}

/** Runs a server with the hostile runner of this seed, and checks that the server serves and stops. */
async function lie(seed: number): Promise<void> {
  const name = `liar.${seed}`;
  const runner = join(directory, name);
  symlinkSync(program, runner);
  process.env['BACKWORKS_RUNNER'] = runner;
  // startServer() would keep a reference to every server.
  const { config } = parseConfig(configuration, { directory });
  const backworks = createBackworks(config, { log });
  const { url } = await backworks.start();
  try {
    for (const count of [1, REQUESTS_AT_ONCE]) {
      await Promise.all(Array.from({ length: count }, () => request(url + '/lies')));
      // The hooks of the optional plugin run for this request too.
      await request(url + '/fine');
    }
  } finally {
    await backworks.stop();
    rmSync(runner);
  }
  await eventually(() => runnersLeft(name).length === 0, 'the end of every runner');
  expect([...codes].filter((code) => !EXPECTED_CODE.test(code))).toEqual([]);
  expect(escaped).toEqual([]);
  expect(Object.keys(Object.prototype)).toEqual([]);
}

test('a server with hostile runners answers every request and leaks no process', async () => {
  let tried = 0;
  let before = 0;
  for (const seed of seeds(SEEDS)) {
    try {
      await lie(seed);
    } catch (cause) {
      throw new Error(`BACKWORKS_FUZZ_SEED=${seed}: ${String(cause)}`, { cause });
    }
    tried += 1;
    // The first servers load code and data that later servers share.
    if (tried === 10) before = process.memoryUsage().rss;
  }
  if (tried > 10) expect(process.memoryUsage().rss - before).toBeLessThan(MEMORY_GROWTH_MAX_BYTES);
  expect(tried).toBeGreaterThan(0);
}, 3_600_000);
