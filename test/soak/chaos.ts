import type { SoakServer } from './server.js';
import { fetchText } from './traffic.js';

const PAUSE_MIN_MS = 50;
const PAUSE_MAX_MS = 300;
const SHARE_KILLED = 0.6;
const SHARE_STOPPED = 0.2;

/** Kills and stops random runners, and makes a plugin send garbage frames. */
export class Chaos {
  readonly counts = { killed: 0, stopped: 0, corrupted: 0 };
  /** SIGKILLs sent to processes of the weather plugin. */
  weatherKills = 0;
  /** When a process of the weather plugin was last stopped. */
  weatherStoppedAtMs = -Infinity;
  private running = true;
  private readonly loop: Promise<void>;

  constructor(
    private readonly server: SoakServer,
    private readonly failed: (what: string) => void,
  ) {
    this.loop = this.run();
  }

  async stop(): Promise<void> {
    this.running = false;
    await this.loop;
  }

  private async run(): Promise<void> {
    while (this.running && this.server.isRunning) {
      const choice = Math.random();
      if (choice < SHARE_KILLED) await this.signal('SIGKILL');
      else if (choice < SHARE_KILLED + SHARE_STOPPED) await this.signal('SIGSTOP');
      else await this.corrupt();
      const pauseMs = PAUSE_MIN_MS + Math.random() * (PAUSE_MAX_MS - PAUSE_MIN_MS);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  private async signal(signal: 'SIGKILL' | 'SIGSTOP'): Promise<void> {
    const runners = await this.server.runners().catch(() => []);
    const runner = runners[Math.floor(Math.random() * runners.length)];
    if (runner === undefined) return;
    const isWeather = runner.plugin === 'weather';
    if (isWeather && signal === 'SIGKILL') this.weatherKills += 1;
    if (isWeather && signal === 'SIGSTOP') this.weatherStoppedAtMs = performance.now();
    try {
      process.kill(runner.pid, signal);
      this.counts[signal === 'SIGKILL' ? 'killed' : 'stopped'] += 1;
    } catch {
      // The process has ended in the meantime.
    }
  }

  private async corrupt(): Promise<void> {
    this.counts.corrupted += 1;
    try {
      const { status } = await fetchText(undefined, `${this.server.url}/bad`);
      if (status < 500) this.failed(`garbage frames were answered with ${status}`);
    } catch (error) {
      this.failed(`garbage frames: ${String(error)}`);
    }
  }
}
