import http from 'node:http';
import https from 'node:https';
import type { HealthCheckConfig } from '../config/proxy-types.js';
import type { Target } from './target.js';

/** Up to this share of the interval is added at random, so that checks of many servers do not coincide. */
const JITTER = 0.1;

/**
 * Asks a target for its health, again and again: the first time at once, then an interval after each answer. Every
 * check has a connection of its own, so that it also shows whether the target accepts connections.
 */
export class HealthChecks {
  private timer: NodeJS.Timeout | undefined;
  private running: http.ClientRequest | null = null;
  private isStopped = false;

  constructor(
    private readonly target: Target,
    private readonly config: HealthCheckConfig,
  ) {
    void this.check();
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
    this.running?.destroy();
  }

  private async check(): Promise<void> {
    const fault = await this.ask();
    if (this.isStopped) return;
    this.target.health.checked(fault);
    const { intervalMs } = this.config;
    const delayMs = intervalMs * (1 + Math.random() * JITTER);
    this.timer = setTimeout(() => void this.check(), delayMs).unref();
  }

  /** @returns why the check failed; null when it passed */
  private ask(): Promise<string | null> {
    const { path, timeoutMs } = this.config;
    const { connection, host } = this.target;
    return new Promise((resolve) => {
      const { request: open } = connection.protocol === 'https:' ? https : http;
      const headers = { host, 'user-agent': 'backworks-health-check', connection: 'close' };
      const request = open({ ...connection, path, headers });
      this.running = request;
      const late = setTimeout(() => {
        resolve(`no answer within ${timeoutMs} ms`);
        request.destroy();
      }, timeoutMs);
      request.on('response', (answer) => {
        resolve(this.fault(answer.statusCode!));
        request.destroy();
      });
      request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      request.on('close', () => {
        clearTimeout(late);
        resolve('the connection was closed without an answer');
      });
      request.end();
    });
  }

  private fault(status: number): string | null {
    const { statuses } = this.config;
    const passed = statuses.length === 0 ? status >= 200 && status <= 399 : statuses.includes(status);
    return passed ? null : `status ${status}`;
  }
}
