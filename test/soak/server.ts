import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compilePlugin } from '../fixtures/compile.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const START_LIMIT_MS = 30_000;
const TOKEN = 'soak';

/** A plugin process in the admin API. */
export interface Runner {
  readonly plugin: string;
  readonly pid: number;
  readonly state: string;
}

/** The command-line server in its own process, and the upstream of its proxy endpoint. */
export class SoakServer {
  private constructor(
    readonly url: string,
    private readonly adminUrl: string,
    private readonly child: ChildProcess,
    private readonly upstream: Server,
    private readonly directory: string,
  ) {}

  static async start(callMs: number): Promise<SoakServer> {
    const directory = mkdtempSync(join(tmpdir(), 'backworks-soak-'));
    chmodSync(directory, 0o755);
    const upstream = createServer((request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ path: request.url }));
    });
    const [port, adminPort, upstreamPort] = [await freePort(), await freePort(), await listening(upstream)];
    const config = join(directory, 'backworks.yaml');
    writeFileSync(config, configuration(directory, { port, adminPort, upstreamPort, callMs }));
    // In its own process group, so that Ctrl-C reaches only this script, which then stops the server.
    const child = spawn(process.execPath, [join(root, 'dist/cli/main.js'), 'start', '--config', config], {
      env: { ...process.env, XDG_CACHE_HOME: join(directory, 'cache') },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const log = createWriteStream(join(tmpdir(), 'backworks-soak.log'));
    child.stdout.pipe(log);
    child.stderr.pipe(log);
    const url = `http://127.0.0.1:${port}`;
    const server = new SoakServer(url, `http://127.0.0.1:${adminPort}`, child, upstream, directory);
    await server.ready();
    return server;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** False once the server has ended. */
  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async runners(): Promise<Runner[]> {
    const response = await fetch(`${this.adminUrl}/plugins`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    const { plugins } = (await response.json()) as {
      plugins: { name: string; processes: { pid: number; state: string }[] }[];
    };
    return plugins.flatMap(({ name, processes }) =>
      processes.map((process) => ({ plugin: name, ...process })),
    );
  }

  /** Stops the server with SIGTERM. @returns its exit code */
  async stop(): Promise<number | null> {
    if (this.isRunning) {
      this.child.kill('SIGTERM');
      await once(this.child, 'exit');
    }
    this.upstream.close();
    this.upstream.closeAllConnections();
    rmSync(this.directory, { recursive: true, force: true });
    return this.child.exitCode;
  }

  private async ready(): Promise<void> {
    const until = Date.now() + START_LIMIT_MS;
    while (Date.now() < until && this.isRunning) {
      const answer = await fetch(`${this.adminUrl}/readyz`).catch(() => null);
      if (answer?.ok === true) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await this.stop();
    throw new Error(`the server is not ready; its log is ${join(tmpdir(), 'backworks-soak.log')}`);
  }
}

interface Settings {
  readonly port: number;
  readonly adminPort: number;
  readonly upstreamPort: number;
  readonly callMs: number;
}

function configuration(directory: string, { port, adminPort, upstreamPort, callMs }: Settings): string {
  const plugins = join(directory, 'plugins');
  mkdirSync(plugins);
  const copy = (name: string, from: string): string => {
    const path = join(plugins, `${name}.so`);
    copyFileSync(from, path);
    return path;
  };
  const weather = copy('weather', join(root, 'examples/weather/plugins/libweather_plugin.so'));
  const tag = copy('tag', compilePlugin('tag'));
  const garbage = copy('garbage', compilePlugin('hostile/h28_garbage'));
  // Failures are far more frequent here than in production, so breaker and quarantine must not stop the plugins.
  const policy = `timeouts: { call: ${callMs}ms, initialize: 1s }, restart: { delay: 10ms, max_delay: 100ms },
      circuit_breaker: { failures: 1000000, window: 1s }, quarantine: { failures: 0 }`;
  return `
server: { host: 127.0.0.1, port: ${port} }
admin: { host: 127.0.0.1, port: ${adminPort}, token: ${TOKEN} }
logging: { level: warn, format: json }
endpoints:
  city: { path: "/weather/{city}", methods: [GET], plugin: weather }
  hello: { path: /hello, methods: [GET], response: { status: 200, body: { hello: world } } }
  legacy: { path: "/legacy/*", proxy: { target: "http://127.0.0.1:${upstreamPort}" } }
  bad: { path: /bad, plugin: garbage }
plugins:
  tag: { path: ${tag}, config: { tag: a }, ${policy} }
  weather: { path: ${weather}, ${policy} }
  garbage: { path: ${garbage}, ${policy} }
`;
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listening(server);
  server.close();
  await once(server, 'close');
  return port;
}
