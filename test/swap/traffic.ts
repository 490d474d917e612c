import { Agent, get } from 'node:http';

/** A wrong or missing answer. */
export interface FailedRequest {
  readonly path: string;
  /** 0 when there was no answer. */
  readonly status: number;
  readonly what: string;
}

/** Sends requests over many connections. Each connection sends the next request after each answer. */
export class Traffic {
  requests = 0;
  readonly failed: FailedRequest[] = [];
  /** Number of answers by the version whose hook ran; "none" when the hook was skipped. */
  readonly versions = new Map<string, number>();
  private readonly agent: Agent;
  private running = true;
  private readonly lanes: Promise<void>[];

  constructor(
    private readonly url: string,
    connections: number,
    private readonly paths: readonly string[],
  ) {
    this.agent = new Agent({ keepAlive: true, maxSockets: connections });
    this.lanes = Array.from({ length: connections }, (_, lane) => this.lane(lane));
  }

  async stop(): Promise<void> {
    this.running = false;
    await Promise.all(this.lanes);
    this.agent.destroy();
  }

  private async lane(lane: number): Promise<void> {
    for (let turn = lane; this.running; turn += 1) {
      const path = this.paths[turn % this.paths.length] ?? '/';
      this.requests += 1;
      await this.request(path).catch((error: Error) =>
        this.failed.push({ path, status: 0, what: error.message }),
      );
    }
  }

  private request(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const request = get(this.url + path, { agent: this.agent }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => (text += part));
        response.on('error', reject);
        response.on('end', () => {
          const status = response.statusCode ?? 0;
          const version = String(response.headers['x-version'] ?? 'none');
          this.versions.set(version, (this.versions.get(version) ?? 0) + 1);
          if (status !== 200) this.failed.push({ path, status, what: text.slice(0, 300) });
          // One version must run both the endpoint and the hook of a request.
          else if (path === '/version' && !text.includes(`"${version}"`))
            this.failed.push({ path, status, what: `${version} after ${text}` });
          resolve();
        });
      });
      request.on('error', reject);
    });
  }
}
