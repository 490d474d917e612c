import { Agent } from 'node:http';
import { fetchText } from '../soak/traffic.js';

/** Pause of a connection between two requests. */
const PAUSE_MS = 40;
/** Endpoints whose answer contains the generation of the configuration. */
const PATHS = ['/static', '/reconfigured', '/restarted'];

/** The generations of configurations that an answer may come from. */
export interface Generations {
  /** The newest generation that has taken effect. */
  readonly active: number;
  /** The newest generation in the file; it may have taken effect. */
  readonly written: number;
}

/**
 * Requests over many connections. An answer is right if it has status 200 and comes from a configuration that
 * was active at some time between the beginning and the end of the request.
 */
export class ReloadTraffic {
  requests = 0;
  readonly failures: string[] = [];
  private readonly agent: Agent;
  private running = true;
  private readonly lanes: Promise<void>[];

  constructor(
    private readonly url: string,
    connections: number,
    private readonly generations: Generations,
  ) {
    this.agent = new Agent({ keepAlive: true, maxSockets: connections });
    this.lanes = Array.from({ length: connections }, (_, lane) => this.lane(lane));
  }

  async stop(): Promise<void> {
    this.running = false;
    await Promise.all(this.lanes);
    this.agent.destroy();
  }

  private async lane(first: number): Promise<void> {
    for (let turn = first; this.running; turn += 1) {
      const path = PATHS[turn % PATHS.length] ?? '';
      const problem = await this.request(path).catch((error: unknown) => String(error));
      if (problem !== null) this.failures.push(`${path}: ${problem}`);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  /** @returns what is wrong with the answer, or null */
  private async request(path: string): Promise<string | null> {
    this.requests += 1;
    const least = this.generations.active;
    const { status, headers, text } = await fetchText(this.agent, this.url + path);
    if (status !== 200) return `${status} ${text}`;
    if (headers['x-a'] !== 'seen') return 'the hook of plugin tag did not run';
    const body = JSON.parse(text) as { generation?: number; config?: { generation: number } };
    const generation = body.generation ?? body.config?.generation ?? NaN;
    const most = this.generations.written;
    return generation >= least && generation <= most
      ? null
      : `answered by generation ${generation}, expected ${least} to ${most}`;
  }
}
