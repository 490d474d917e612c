import type { AlertsConfig } from '../config/types.js';
import type { Log } from '../log.js';
import type { Alert } from './alert.js';

const WAITING_MAX = 100;
/** Answers that another try may change; every other below 500 is final. */
const TRY_AGAIN: ReadonlySet<number> = new Set([408, 425, 429]);

/** What became of an alert. */
export type Delivery = 'delivered' | 'failed' | 'dropped';

export interface WebhookOptions {
  readonly settings: Pick<AlertsConfig, 'webhook' | 'headers' | 'timeoutMs' | 'retry'>;
  readonly log: Log;
  readonly count: (delivery: Delivery) => void;
}

/**
 * Posts alerts, one after the other, in the background. At most 100 wait; beyond those the oldest is
 * dropped. A webhook that fails is logged once, until it takes an alert again.
 */
export class Webhook {
  private readonly waiting: Alert[] = [];
  /** Where it leads, for messages: the rest of a webhook's URL is often its secret. */
  private readonly origin: string;
  private readonly ended = new AbortController();
  private delivering: Promise<void> | null = null;
  private failing = false;

  constructor(private readonly options: WebhookOptions) {
    this.origin = new URL(options.settings.webhook).origin;
  }

  /** Never throws and never waits. */
  send(alert: Alert): void {
    if (this.ended.signal.aborted) return this.options.count('dropped');
    this.waiting.push(alert);
    if (this.waiting.length > WAITING_MAX) this.drop(this.waiting.splice(0, 1));
    this.delivering ??= this.deliver();
  }

  /** Gives what waits at most `limitMs`, then drops it. Never rejects. */
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

  /** @returns null, or why the webhook did not take it */
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
        // Following one would take the headers to an address the configuration does not name.
        redirect: 'manual',
        signal: AbortSignal.any([timeout, this.ended.signal]),
      });
      await response.body?.cancel();
      const final = response.status < 500 && !TRY_AGAIN.has(response.status);
      return { problem: response.ok ? null : `it answered ${response.status}`, final };
    } catch (error) {
      const problem = timeout.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(error);
      return { problem, final: false };
    }
  }

  /** A wait that ends early when everything does. */
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
    if (problem === null) log.info({ webhook: this.origin }, `alerts reach ${this.origin} again`);
    else log.error({ webhook: this.origin, problem }, `alerts do not reach ${this.origin}: ${problem}`);
  }

  private drop(alerts: readonly Alert[]): void {
    const { log, count } = this.options;
    for (const { plugin, event } of alerts) {
      count('dropped');
      log.warn({ plugin, event }, `alert not delivered: plugin ${plugin} is ${event}`);
    }
  }
}

/** What fetch() says is in the cause; its own message is always the same. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  const { code, message: detail } = (cause ?? {}) as NodeJS.ErrnoException;
  return code ?? detail ?? message;
}
