import { Agent, get, type IncomingMessage } from 'node:http';

const LANES = 8;
const PAUSE_MS = 4;
const CITIES = ['Lisbon', 'Reykjavik', 'Nairobi', 'Quito'];

/** A wrong or missing answer. */
export interface FailedRequest {
  readonly path: string;
  readonly atMs: number;
  /** 0 when there was no answer. */
  readonly status: number;
  /** The problem document's code, or what is wrong. */
  readonly code: string;
  readonly detail: string;
}

/** Sends requests to a plugin, a proxy endpoint and a static endpoint, and reports failures. */
export class Traffic {
  requests = 0;
  /** Answers for which the optional hook was skipped. */
  hooksSkipped = 0;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: LANES });
  private running = true;
  private readonly lanes: Promise<void>[];

  constructor(
    private readonly url: string,
    private readonly failed: (failure: FailedRequest) => void,
  ) {
    this.lanes = Array.from({ length: LANES }, () => this.lane());
  }

  async stop(): Promise<void> {
    this.running = false;
    await Promise.all(this.lanes);
    this.agent.destroy();
  }

  private async lane(): Promise<void> {
    for (let turn = 0; this.running; turn += 1) {
      const city = CITIES[turn % CITIES.length] ?? '';
      await this.request(`/weather/${city}`, (body) => body['city'] === city);
      await this.request('/hello', (body) => body['hello'] === 'world');
      await this.request(`/legacy/${turn}`, (body) => body['path'] === `/legacy/${turn}`);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  private async request(path: string, isRight: (body: Record<string, unknown>) => boolean): Promise<void> {
    this.requests += 1;
    const fail = (status: number, code: string, detail: string): void =>
      this.failed({ path, atMs: performance.now(), status, code, detail });
    try {
      const { status, headers, text } = await fetchText(this.agent, this.url + path);
      if (headers['x-a'] !== 'seen') this.hooksSkipped += 1;
      const body = JSON.parse(text) as Record<string, unknown>;
      if (status !== 200) fail(status, String(body['code']), String(body['detail']));
      else if (!isRight(body)) fail(status, 'wrong answer', text);
    } catch (error) {
      fail(0, 'no answer', String(error));
    }
  }
}

type Answer = { status: number; headers: IncomingMessage['headers']; text: string };

export function fetchText(agent: Agent | undefined, url: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get(url, { ...(agent && { agent }), timeout: 30_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error('no answer within 30 s')));
    request.on('error', reject);
  });
}
