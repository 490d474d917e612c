import { accessSync, constants, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { AccessLogConfig } from '../config/types.js';
import { BackworksError } from '../errors.js';
import type { Log } from '../log.js';
import { addMeasuredCounter, type MetricsRegistry } from '../metrics/instruments.js';
import { type Destination, openDestination, STDOUT } from './destination.js';
import { type LineFormat, lineFormat } from './lines.js';
import { LineWriter } from './line-writer.js';
import type { AccessRecord } from './record.js';

/** How often the server looks whether its file was moved or removed. */
const MOVED_CHECK_MS = 1000;
/** A destination that does not keep up is reported at most this often. */
const REPORT_MS = 60_000;

/** The log of requests: one line for each request whose response has ended. */
export class AccessLog {
  private config: AccessLogConfig | null = null;
  private format: LineFormat | null = null;
  private writer: LineWriter | null = null;
  /** Lines that former writers dropped. */
  private formerDropped = 0;
  private watch: NodeJS.Timeout | undefined;
  private reportedAtMs = -Infinity;
  private readonly closing = new Set<Promise<void>>();

  constructor(
    private readonly log: Log,
    registry: MetricsRegistry,
  ) {
    const help =
      'Lines of the access log that were dropped because its destination failed or did not keep up.';
    addMeasuredCounter(registry, { name: 'backworks_access_log_dropped_lines_total', help }, (set) =>
      set({}, this.formerDropped + (this.writer?.dropped ?? 0)),
    );
  }

  /** Whether requests are logged. */
  get isOpen(): boolean {
    return this.writer !== null;
  }

  /**
   * Opens the log as the configuration says.
   * @throws BackworksError BW_ACCESS_LOG when its file cannot be opened
   */
  open(config: AccessLogConfig): void {
    this.apply(config, config.format === 'off' ? null : open(config.file));
  }

  /**
   * Applies a changed configuration, and opens the file again, which may have been moved. When the file cannot be
   * opened, the log continues as it is.
   */
  configure(config: AccessLogConfig): void {
    try {
      this.open(config);
    } catch (error) {
      const { code, message } = error as BackworksError;
      this.log.error({ code }, `${message}; the access log continues as it was`);
    }
  }

  /** Appends the line of a request. Never blocks. */
  write(record: AccessRecord): void {
    if (this.format !== null) this.writer?.write(this.format(record));
  }

  /** Writes the lines that wait, for at most two seconds. Never rejects. */
  async close(): Promise<void> {
    this.apply({ format: 'off', file: STDOUT, query: 'omit' }, null);
    await Promise.all(this.closing);
  }

  private apply(config: AccessLogConfig, destination: Destination | null): void {
    const isSame = config.file === this.config?.file && config.format === this.config.format;
    this.config = config;
    this.format = lineFormat(config);
    clearInterval(this.watch);
    if (destination !== null && isSame && this.writer !== null) this.writer.redirect(destination);
    else {
      this.retire();
      if (destination !== null) this.writer = new LineWriter(destination, this.events(config.file));
    }
    if (destination !== null && destination.file !== null)
      this.watch = setInterval(() => void this.followFile(config), MOVED_CHECK_MS).unref();
  }

  /** The former file gets the lines that were written for it. */
  private retire(): void {
    const { writer } = this;
    if (writer === null) return;
    this.writer = null;
    const closed = writer.close().then(() => {
      this.formerDropped += writer.dropped;
      this.closing.delete(closed);
    });
    this.closing.add(closed);
  }

  /** Opens the file again when another one, or none, has its name: a program that rotates logs has moved it. */
  private async followFile(config: AccessLogConfig): Promise<void> {
    const known = this.writer?.destination.file;
    const now = await stat(config.file).catch(() => null);
    if (!known || this.config !== config || this.writer?.destination.file !== known) return;
    if (now?.ino !== known.inode || now.dev !== known.device) this.configure(config);
  }

  private events(file: string): ConstructorParameters<typeof LineWriter>[1] {
    return {
      dropped: () =>
        this.report(`lines of the access log are dropped: ${file} does not take them fast enough`),
      failed: ({ code = 'unknown error' }) =>
        this.report(`lines of the access log are dropped: ${file} cannot be written (${code})`),
    };
  }

  private report(message: string): void {
    const now = performance.now();
    if (now - this.reportedAtMs < REPORT_MS) return;
    this.reportedAtMs = now;
    this.log.error({ code: 'BW_ACCESS_LOG' }, message);
  }
}

function open(file: string): Destination {
  try {
    return openDestination(file);
  } catch (error) {
    throw cannotOpen(file, error);
  }
}

/**
 * Checks that a log can be opened. Nothing is created.
 * @throws BackworksError BW_ACCESS_LOG
 */
export function checkAccessLog({ format, file }: AccessLogConfig): void {
  if (format === 'off' || file === STDOUT) return;
  try {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    accessSync(found === undefined ? dirname(file) : file, constants.W_OK);
  } catch (error) {
    throw cannotOpen(file, error);
  }
}

const HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'create its directory; the server creates only the file',
  EACCES: 'give the user of the server the right to write there',
  EISDIR: 'logging.access.file names a directory; name a file in it',
  ENXIO: 'nothing reads the named pipe',
};

function cannotOpen(file: string, error: unknown): BackworksError {
  const { code = 'unknown error' } = error as NodeJS.ErrnoException;
  const message = `the access log ${file} cannot be opened (${code})`;
  return new BackworksError('BW_ACCESS_LOG', message, { hint: HINTS[code], cause: error });
}
