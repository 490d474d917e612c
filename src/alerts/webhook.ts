import type { AlertsConfig } from '../config/types.js';
import type { Log } from '../log.js';
import type { Alert } from './alert.js';

const WAITING_MAX = 100;
/** Statuses below 500 that are retried. All other statuses below 500 are final. */
const RETRIED: ReadonlySet<number> = new Set([408, 425, 429]);

/** The result of sending an alert. */
export type Delivery = 'delivered' | 'failed' | 'dropped';

export interface WebhookOptions {
  readonly settings: Pick<AlertsConfig, 'webhook' | 'headers' | 'timeoutMs' | 'retry'>;
  readonly log: Log;
  readonly count: (delivery: Delivery) => void;
}

/**
 * Posts alerts one after the other in the background. At most 100 alerts wait; when another one comes, the
 * oldest is dropped. An outage of the webhook is logged once, and once more when it is over.
 */
export class Webhook {
  private readonly waiting: Alert[] = [];
  /** The origin of the URL, for messages. The rest of a webhook's URL often contains a secret. */
  private readonly origin: string;
  private readonly ended = new AbortController();
  private delivering: Promise<void> | null = null;
  private failing = false;

  constructor(private readonly options: WebhookOptions) {
    this.origin = new URL(options.settings.webhook).origin;
  }

  /** Queues an alert. Never throws and never waits. */
  send(alert: Alert): void {
    if (this.ended.signal.aborted) return this.options.count('dropped');
    this.waiting.push(alert);
    if (this.waiting.length > WAITING_MAX) this.drop(this.waiting.splice(0, 1));
    this.delivering ??= this.deliver();
  }

  /** Delivers waiting alerts for at most `limitMs`, then drops the rest. Never rejects. */
  async close(limitMs: number): Promise<void> {
    const limit = setTimeout(() => this.ended.abort(), limitMs);
    await this.delivering;
    clearTimeout(limit);
    this.ended.abort();
  }

  private async deliver(): Promise<void> {
    for (let alert = this.waiting.shift(); alert !== undefined; alert = this.waiting.shift()) {
      const problem = await this.post(alert);
      if (this.ended.signal.aborted && problem !== null) this.drop([alert, ...this.waiting.splice(0)]);
      else this.note(problem);
    }
    this.delivering = null;
  }

  /** @returns null, or the reason the webhook did not accept the alert */
  private async post(alert: Alert): Promise<string | null> {
    const { attempts, delayMs } = this.options.settings.retry;
    const body = JSON.stringify(alert);
    for (let attempt = 1; ; attempt += 1) {
      const { problem, final } = await this.attempt(body);
      if (problem === null || final || attempt >= attempts || this.ended.signal.aborted) return problem;
      await this.pause(delayMs * 2 ** (attempt - 1));
    }
  }

  private async attempt(body: string): Promise<{ problem: string | null; final: boolean }> {
    const { webhook, headers, timeoutMs } = this.options.settings;
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(webhook, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body,
        // Following a redirect would send the secret headers to an address the configuration does not name.
        redirect: 'manual',
        signal: AbortSignal.any([timeout, this.ended.signal]),
      });
      await response.body?.cancel();
      const final = response.status < 500 && !RETRIED.has(response.status);
      return { problem: response.ok ? null : `the webhook answered ${response.status}`, final };
    } catch (error) {
      const problem = timeout.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(error);
      return { problem, final: false };
    }
  }

  /** Waits, but not longer than until the webhook is closed. */
  private async pause(ms: number): Promise<void> {
    const { signal } = this.ended;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
    });
  }

  private note(problem: string | null): void {
    const { log, count } = this.options;
    count(problem === null ? 'delivered' : 'failed');
    if ((problem !== null) === this.failing) return;
    this.failing = problem !== null;
    if (problem === null) log.info({ webhook: this.origin }, `alerts are delivered to ${this.origin} again`);
    else
      log.error(
        { webhook: this.origin, problem },
        `alerts cannot be delivered to ${this.origin}: ${problem}; the next alerts are still tried`,
      );
  }

  private drop(alerts: readonly Alert[]): void {
    const { log, count } = this.options;
    for (const { plugin, event } of alerts) {
      count('dropped');
      log.warn(
        { plugin, event },
        `alert dropped: the webhook did not accept event "${event}" of plugin ${plugin}`,
      );
    }
  }
}

/** fetch() puts the reason into the cause of its error; its own message is always the same. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  const { code, message: detail } = (cause ?? {}) as NodeJS.ErrnoException;
  return code ?? detail ?? message;
}
