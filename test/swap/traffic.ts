import { Agent, get } from 'node:http';

/** An answer that is not what it must be. */
export interface FailedRequest {
  readonly path: string;
  /** 0 when there was no answer at all. */
  readonly status: number;
  readonly what: string;
}

/** Requests over many connections, each with the next as soon as it has its answer. */
export class Traffic {
  requests = 0;
  readonly failed: FailedRequest[] = [];
  /** Answers by the version that had the last word; "none" where it was skipped. */
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
          // Endpoint and hook of one request are the same version.
          else if (path === '/version' && !text.includes(`"${version}"`))
            this.failed.push({ path, status, what: `${version} after ${text}` });
          resolve();
        });
      });
      request.on('error', reject);
    });
  }
}
