import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, createWriteStream, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const LOG = join(tmpdir(), 'backworks-reload.log');
const TOKEN = 'reload';
const START_LIMIT_MS = 30_000;

/** The answer to POST /reload. */
export interface Reloaded {
  readonly plugins: readonly { name: string; action: string }[];
  readonly failed: readonly { name: string; message: string }[];
  readonly duration_ms: number;
}

/** `backworks start` in its own process, with a configuration file that the test replaces. */
export class ReloadedServer {
  private constructor(
    readonly url: string,
    private readonly adminUrl: string,
    private readonly child: ChildProcess,
    private readonly directory: string,
    private readonly head: string,
  ) {}

  /** @param yaml the file without `server:` and `admin:` */
  static async start(yaml: string): Promise<ReloadedServer> {
    const directory = mkdtempSync(join(tmpdir(), 'backworks-reload-'));
    chmodSync(directory, 0o755);
    const [port, adminPort] = [await freePort(), await freePort()];
    const head = `server: { port: ${port} }\nadmin: { port: ${adminPort}, token: ${TOKEN} }\n`;
    const file = join(directory, 'backworks.yaml');
    writeFileSync(file, head + yaml);
    // Its own process group, so that Ctrl-C reaches only this script, which then stops the server.
    const child = spawn(process.execPath, [MAIN, 'start', '--config', file], {
      env: { ...process.env, XDG_CACHE_HOME: join(directory, 'cache') },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const log = createWriteStream(LOG);
    child.stdout.pipe(log);
    child.stderr.pipe(log);
    const url = `http://127.0.0.1:${port}`;
    const server = new ReloadedServer(url, `http://127.0.0.1:${adminPort}`, child, directory, head);
    await server.ready();
    return server;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Replaces the file by rename, as editors do, and reloads. @throws Error with the server's message */
  async reload(yaml: string): Promise<Reloaded> {
    const file = join(this.directory, 'backworks.yaml');
    writeFileSync(`${file}~`, this.head + yaml);
    renameSync(`${file}~`, file);
    const headers = { authorization: `Bearer ${TOKEN}` };
    const response = await fetch(`${this.adminUrl}/reload`, { method: 'POST', headers });
    const answer = (await response.json()) as Reloaded & { detail: string };
    if (!response.ok) throw new Error(answer.detail);
    return answer;
  }

  /** Stops the server with SIGTERM. @returns its exit code */
  async stop(): Promise<number | null> {
    if (this.isRunning) {
      this.child.kill('SIGTERM');
      await once(this.child, 'exit');
    }
    rmSync(this.directory, { recursive: true, force: true });
    return this.child.exitCode;
  }

  private get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  private async ready(): Promise<void> {
    const until = Date.now() + START_LIMIT_MS;
    while (Date.now() < until && this.isRunning) {
      const answer = await fetch(`${this.adminUrl}/readyz`).catch(() => null);
      if (answer?.ok === true) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await this.stop();
    throw new Error(`the server is not ready; its log is ${LOG}`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
