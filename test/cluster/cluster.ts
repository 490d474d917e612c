import { afterAll, expect } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { RunningCommand, type RunOptions, scratch } from '../cli/command.js';
import { eventually } from '../fixtures/server.js';

/** Drives `backworks start` with workers from outside: the command, its ports and its processes. */
export const directory = scratch();
const running = new Set<RunningCommand>();
afterAll(async () => {
  for (const command of running) command.child.kill('SIGKILL');
  await Promise.all([...running].map(({ finished }) => finished));
  directory.remove();
});

export interface PluginView {
  state: string;
  reason: string | null;
  circuit: string;
  digest: string;
  version: string;
  calls: Record<string, { calls: number; failed: number }>;
  processes: { pid: number; worker: number; state: string }[];
  versions: { role: string; digest: string; version: string; calls: number }[];
  trial: { stage: string } | null;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** A running server with workers. */
export class Cluster {
  private constructor(
    readonly command: RunningCommand,
    readonly file: string,
    readonly url: string,
    readonly adminUrl: string,
  ) {}

  private static files = 0;

  /** @param yaml with `admin: { port: 0, token: t }` */
  static async launch(yaml: string, options: RunOptions = {}): Promise<Cluster> {
    const { command, file } = Cluster.run(yaml, options);
    const { url } = await command.logged(/^listening on .* with \d workers$/);
    const { url: adminUrl } = await command.logged(/^admin API on /);
    return new Cluster(command, file, String(url), String(adminUrl));
  }

  /** Starts the command without waiting until it listens. */
  static run(yaml: string, options: RunOptions = {}): { command: RunningCommand; file: string } {
    const file = directory.write(`config-${(Cluster.files += 1)}.yaml`, yaml);
    const command = new RunningCommand(['start', '--config', file], options);
    running.add(command);
    return { command, file };
  }

  get pid(): number {
    return this.command.child.pid!;
  }

  /** Replaces the configuration file; the next reload reads it. */
  write(yaml: string): void {
    directory.write(this.file.split('/').at(-1)!, yaml);
  }

  async admin(path: string, method = 'GET'): Promise<Answer> {
    const headers = { authorization: 'Bearer t' };
    const response = await fetch(`${this.adminUrl}${path}`, { method, headers });
    return { status: response.status, text: await response.text() };
  }

  async plugin(name = 'one'): Promise<PluginView> {
    return JSON.parse((await this.admin(`/plugins/${name}`)).text) as PluginView;
  }

  /** Ids of the plugin's serving processes, one in each worker. */
  async servers(name = 'one'): Promise<number[]> {
    return (await this.plugin(name)).processes.filter(({ state }) => state === 'ready').map(({ pid }) => pid);
  }

  /** Sends a request over a new connection, because the workers take turns in accepting connections. */
  request(path = '/one'): Promise<Answer> {
    return request(this.url + path, new Agent({ keepAlive: false }));
  }

  /** Process ids of the workers. */
  workers(): number[] {
    return childrenOf(this.pid);
  }

  async metric(name: RegExp): Promise<number> {
    const { text } = await this.admin('/metrics');
    return [...text.matchAll(new RegExp(`^${name.source} ([0-9.e+]+)$`, 'gm'))]
      .map((match) => Number(match.at(-1)))
      .reduce((sum, value) => sum + value, 0);
  }

  logged(message: RegExp): Promise<Record<string, unknown>> {
    return this.command.logged(message);
  }

  /** How many log lines match. */
  times(message: RegExp): number {
    return this.command.log.filter(({ msg }) => message.test(String(msg))).length;
  }

  /** Stops the server with SIGTERM and expects that none of its processes is left. */
  async stop(): Promise<void> {
    const all = this.family();
    this.command.child.kill('SIGTERM');
    expect(await this.command.finished).toMatchObject({ code: 0, signal: null });
    await gone(all);
  }

  /** Ids of all processes of the server: the primary, the workers and the runners. */
  family(): number[] {
    const below = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(below)];
    return below(this.pid);
  }
}

/** Many keep-alive connections. Each sends its next request as soon as it has an answer. */
export class Load {
  /** Status → number of answers. */
  readonly answers: Record<number, number> = {};
  /** The lane of each request whose connection broke. */
  readonly broken: number[] = [];
  private over = false;
  private readonly lanes: Promise<void>[];

  /** @param check called with every answer and its lane */
  constructor(
    url: string,
    connections: number,
    check: (answer: Answer, lane: number) => void = () => undefined,
  ) {
    this.lanes = Array.from({ length: connections }, async (_, lane) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      while (!this.over) {
        const answer = await request(url, agent).catch(() => null);
        if (answer === null) this.broken.push(lane);
        else {
          this.answers[answer.status] = (this.answers[answer.status] ?? 0) + 1;
          check(answer, lane);
        }
      }
      agent.destroy();
    });
  }

  get total(): number {
    return Object.values(this.answers).reduce((sum, count) => sum + count, 0);
  }

  /** Resolves after `count` more answers. */
  async more(count: number): Promise<void> {
    const until = this.total + count;
    await eventually(() => this.total >= until, `${count} more answers`, 60_000);
  }

  async stop(): Promise<void> {
    this.over = true;
    await Promise.all(this.lanes);
  }
}

export function request(url: string, agent: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    }).on('error', reject);
  });
}

/** Children of any thread of the process, because threads of a pool start the plugin processes. */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
      const text = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim();
      return text === '' ? [] : text.split(' ').map(Number);
    });
  } catch {
    return [];
  }
}

export function isRunning(pid: number): boolean {
  try {
    // A zombie has already ended; only its parent has not collected it.
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return existsSync(`/proc/${pid}`);
  }
}

export function gone(pids: readonly number[]): Promise<void> {
  return eventually(() => !pids.some(isRunning), `the end of ${pids.join(', ')}`, 20_000);
}
