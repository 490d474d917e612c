import type { Log } from './log.js';

const WINDOW_MS = 1000;
/** Flat charge for the fields of a line. The text of the line is charged by its length. */
const FIELDS_BYTES = 512;

type Level = keyof Log;

interface Window {
  startedAtMs: number;
  bytes: number;
  dropped: number;
}

/**
 * A log that limits the rate of lines for each plugin. It charges the lines that the server writes about a plugin
 * (those with a `plugin` field), because a plugin can cause any number of them. Each level has its own budget, so
 * that a flood of warnings hides no errors. The plugin's own output (lines with a `source` field) passes, because
 * it was charged earlier.
 */
export class LogBudget implements Log {
  private readonly windows = new Map<string, Window>();

  /** @param bytesPerSecond the budget of a plugin for each level, by the plugin's name; may change at any time */
  constructor(
    private readonly log: Log,
    private readonly bytesPerSecond: (plugin: string) => number,
  ) {}

  debug(fields: object, message: string): void {
    this.write('debug', fields, message);
  }

  info(fields: object, message: string): void {
    this.write('info', fields, message);
  }

  warn(fields: object, message: string): void {
    this.write('warn', fields, message);
  }

  error(fields: object, message: string): void {
    this.write('error', fields, message);
  }

  private write(level: Level, fields: object, message: string): void {
    const { plugin, source } = fields as { readonly plugin?: unknown; readonly source?: unknown };
    if (typeof plugin !== 'string' || source !== undefined || this.spend(plugin, level, message.length))
      this.log[level](fields, message);
  }

  private spend(plugin: string, level: Level, characters: number): boolean {
    const key = `${level} ${plugin}`;
    const nowMs = performance.now();
    let window = this.windows.get(key);
    if (window === undefined || nowMs - window.startedAtMs >= WINDOW_MS) {
      window = { startedAtMs: nowMs, bytes: 0, dropped: 0 };
      this.windows.set(key, window);
    }
    const allowed = this.bytesPerSecond(plugin);
    window.bytes += characters + FIELDS_BYTES;
    // The first line of a second is always written, however small the budget is.
    if (window.bytes <= allowed || window.bytes === characters + FIELDS_BYTES) return true;
    // A timer reports the dropped lines, because no further line about the plugin may follow.
    if (window.dropped === 0) setTimeout(() => this.report(plugin, level, window), WINDOW_MS).unref();
    window.dropped += 1;
    return false;
  }

  private report(plugin: string, level: Level, { dropped }: Window): void {
    const allowed = this.bytesPerSecond(plugin);
    const text = `${dropped} log lines (${level}) about plugin ${plugin} were dropped: limits.log_rate is ${allowed} bytes a second`;
    this.log.warn({ plugin, dropped }, text);
  }
}
