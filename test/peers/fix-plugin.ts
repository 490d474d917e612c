import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startServer, type TestServer } from '../fixtures/server.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const README = readFileSync(join(root, 'examples/fix/README.md'), 'utf8');

/** Builds the plugin and the acceptor by the commands of the README. */
export function buildExample(): void {
  const [, commands = ''] = /^```sh\nnpm run build\n(.*?)^```$/ms.exec(README) ?? [];
  execFileSync('sh', ['-euc', commands], { cwd: root, stdio: 'pipe' });
}

/** The commands of the README with their answers. */
export function readmeCommands(): { readonly command: string; readonly answer: string }[] {
  const [, block = ''] = /^```console\n(.*?)^```$/ms.exec(README) ?? [];
  return [...block.matchAll(/^\$ (.*)\n(.*)$/gm)].map(([, command = '', answer = '']) => ({
    command,
    answer,
  }));
}

/** A directory that any user may write to: a server that runs as root gives the plugin another user. */
export class Store {
  readonly path = mkdtempSync(join(tmpdir(), 'backworks-fix-'));
  readonly journal = join(this.path, 'session.journal');

  constructor() {
    chmodSync(this.path, 0o777);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export interface FixOptions {
  readonly port: number;
  readonly store: Store;
  readonly heartBtInt?: number;
  readonly reset?: boolean;
  /** Deadline of a call. */
  readonly call?: string;
}

/** Starts a server with the backworks.yaml of the example, on free ports. */
export function startExample({
  port,
  store,
  heartBtInt = 30,
  reset = false,
  call = '20s',
}: FixOptions): Promise<TestServer> {
  const values: Record<string, string> = {
    FIX_PORT: String(port),
    FIX_STORE: store.path,
    FIX_HEART_BT_INT: String(heartBtInt),
    FIX_RESET: String(reset),
    FIX_CALL: call,
  };
  const yaml = readFileSync(join(root, 'examples/fix/backworks.yaml'), 'utf8')
    .replace(/^(name|version|description):.*\n/gm, '')
    .replace(/^(server|admin):\n( .*\n)+/gm, '')
    .replace('./build/libfix.so', join(root, 'examples/fix/build/libfix.so'))
    .replace(
      /['"]?\$\{(FIX_\w+)(?::-(\w+))?\}['"]?/g,
      (_, name: string, value = '') => values[name] ?? (value as string),
    );
  return startServer(yaml);
}

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

/** Waits until the session has members, such as a state. */
export async function session(server: TestServer, wanted: Record<string, unknown>): Promise<void> {
  const until = Date.now() + 60_000;
  for (;;) {
    const { body } = await ask(server, '/session');
    if (Object.entries(wanted).every(([name, value]) => body[name] === value)) return;
    if (Date.now() > until)
      throw new Error(`the session is ${JSON.stringify(body)}, not ${JSON.stringify(wanted)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export function processOf(server: TestServer): number {
  const [process] = server.plugin('fix').processes;
  if (process?.pid === undefined) throw new Error('the plugin has no process');
  return process.pid;
}

/** A port of the loopback interface on which nothing listened a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The acceptor of the example, which is made of QuickFIX. It cannot listen on one address only. */
export class QuickFix {
  readonly port: number;
  readonly store = mkdtempSync(join(tmpdir(), 'backworks-quickfix-'));
  readonly lines: string[] = [];
  #child: ChildProcess | undefined;

  constructor(port: number) {
    this.port = port;
  }

  async start(): Promise<void> {
    const program = join(root, 'examples/fix/build/acceptor');
    const child = spawn(program, [String(this.port), this.store], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    const lines = createInterface({ input: child.stdout });
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the acceptor ended with ${code}`)));
      lines.on('line', (line) => {
        this.lines.push(line);
        if (line.startsWith('listening')) resolve();
      });
    });
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.store, { recursive: true, force: true });
  }
}
