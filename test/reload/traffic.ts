import { Agent } from 'node:http';
import { fetchText } from '../soak/traffic.js';

/** Keeps the load bounded: a connection rests between two requests. */
const PAUSE_MS = 40;
/** Endpoints whose answer has the number of the configuration they are answered under. */
const PATHS = ['/static', '/told', '/started'];

/** Numbers configurations, so that an answer can be held against them. */
export interface Generations {
  /** The newest that is in force. */
  readonly inForce: number;
  /** The newest that may be. */
  readonly written: number;
}

/**
 * Requests over many connections. An answer is right when it has status 200 and comes from a configuration
 * that was in force between the request's beginning and its end.
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

  /** What is wrong with the answer; null for nothing. */
  private async request(path: string): Promise<string | null> {
    this.requests += 1;
    const least = this.generations.inForce;
    const { status, headers, text } = await fetchText(this.agent, this.url + path);
    if (status !== 200) return `${status} ${text}`;
    if (headers['x-a'] !== 'seen') return 'the hook had no part in it';
    const body = JSON.parse(text) as { generation?: number; config?: { generation: number } };
    const generation = body.generation ?? body.config?.generation ?? NaN;
    const most = this.generations.written;
    return generation >= least && generation <= most
      ? null
      : `answered under configuration ${generation}, in force were ${least} to ${most}`;
  }
}
