import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from '@jest/globals';
import { startServer, type TestServer } from '../fixtures/server.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

export const EXAMPLE = join(root, 'examples/fix');
const LIBRARY = join(EXAMPLE, 'build/libfix.so');
const LIMIT_MS = 60_000;

/** Builds the plugin and the acceptor with the commands of the README. Two test files may do so at once. */
export function buildExample(): void {
  const readme = readFileSync(join(EXAMPLE, 'README.md'), 'utf8');
  const [, commands] = /^```sh\nnpm run build\n(.*?)^```$/ms.exec(readme) ?? [];
  if (commands === undefined) throw new Error('the README shows no commands that build the example');
  mkdirSync(join(root, 'build'), { recursive: true });
  const lock = ['--timeout', '600', join(root, 'build/fix-example.lock')];
  execFileSync('flock', [...lock, 'sh', '-euc', commands], {
    cwd: root,
    env: { ...process.env, CXXFLAGS: '-Werror' },
    stdio: 'pipe',
  });
}

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

/** A directory that is removed after the test file. Any user may write to it: a server that runs as root gives the plugin
 *  another user. */
export function newDirectory(parent = tmpdir()): string {
  const directory = mkdtempSync(join(parent, 'backworks-fix-'));
  directories.push(directory);
  chmodSync(directory, 0o777);
  return directory;
}

export const journalOf = (store: string): string => join(store, 'session.journal');

export interface FixOptions {
  readonly port: number;
  readonly store: string;
  /** More configuration of the plugin, as YAML without braces. */
  readonly config?: string;
  /** Deadline of a call. */
  readonly call?: string;
}

/** YAML of a server with the plugin and the permissions of the example. */
export const fixYaml = ({ port, store, config = '', call = '60s' }: FixOptions): string => `
endpoints:
  orders: { path: /orders, methods: [POST], plugin: fix }
  order: { path: '/orders/{clOrdId}', methods: [GET], plugin: fix }
  session: { path: /session, methods: [GET], plugin: fix }
plugins:
  fix:
    path: ${LIBRARY}
    sandbox: strict
    permissions: { network: { connect: [${port}] }, filesystem: { write: [${store}] } }
    limits: { concurrency: 16, threads: 1 }
    retry: { attempts: 1 }
    timeouts: { call: ${call} }
    config:
      { host: 127.0.0.1, port: ${port}, sender_comp_id: BACKWORKS, target_comp_id: ACCEPTOR, store: ${store}, ${config} }
`;

export const startExample = (options: FixOptions): Promise<TestServer> => startServer(fixYaml(options));

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export async function ask(server: TestServer, path: string): Promise<Answer> {
  const { status, body } = await server.get(path);
  return { status, body: body as Answer['body'] };
}

/** Sends an order for 5 BWX at the market, or another symbol. */
export async function order(server: TestServer, clOrdId: string, symbol = 'BWX'): Promise<Answer> {
  const response = await fetch(`${server.url}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ clOrdId, symbol, side: 'buy', orderQty: 5, ordType: 'market' }),
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

/** Waits until the answer to a GET has these members. @throws Error with the last answer after a minute */
async function until(server: TestServer, path: string, wanted: Record<string, unknown>): Promise<void> {
  const end = Date.now() + LIMIT_MS;
  for (;;) {
    const { body } = await ask(server, path);
    if (Object.entries(wanted).every(([name, value]) => body[name] === value)) return;
    if (Date.now() > end)
      throw new Error(`${path} is ${JSON.stringify(body)}, not ${JSON.stringify(wanted)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export const LOGGED_ON = { state: 'loggedOn' };

/** Waits until the session has members, such as a state. */
export const session = (server: TestServer, wanted: Record<string, unknown> = LOGGED_ON): Promise<void> =>
  until(server, '/session', wanted);

/** Waits until an order has a state. */
export const orderState = (server: TestServer, clOrdId: string, state: string): Promise<void> =>
  until(server, `/orders/${clOrdId}`, { state });

export function processOf(server: TestServer): number {
  const [process] = server.plugin('fix').processes;
  if (process?.pid === undefined) throw new Error('the plugin has no process');
  return process.pid;
}
