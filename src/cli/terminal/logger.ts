import { destination, type DestinationStream, pino, stdSerializers, stdTimeFunctions } from 'pino';
import type { LoggingConfig } from '../../config/types.js';
import type { Log } from '../../log.js';
import { type LogRecord, readableLine } from './log-line.js';
import type { Screen } from './screen.js';

/** The log of a running server. */
export interface ServerLog extends Log {
  /** The lowest severity that is written. Can be changed at run time. */
  level: string;
  /** The last line before the process exits. */
  fatal(fields: object, message: string): void;
}

/** Bytes that are buffered while standard output is blocked. Further lines are dropped. */
const UNWRITTEN_BYTES_MAX = 1024 * 1024;

/** Whether `format` means readable lines on this screen. */
export function isReadable(format: LoggingConfig['format'], screen: Screen): boolean {
  return format === 'pretty' || (format === 'auto' && screen.terminal);
}

/**
 * A log on standard output. Lines are written synchronously, so a server that crashes loses none. The
 * readable format needs no package beyond the installed dependencies.
 * @param fields fields of every line
 */
export function createLogger(
  logging: LoggingConfig,
  screen: Screen,
  fields: Readonly<Record<string, unknown>> | null = null,
): ServerLog {
  const readable: DestinationStream = {
    write: (line) => screen.write(readableLine(JSON.parse(line) as LogRecord, screen)),
  };
  return pino(
    {
      level: logging.level,
      base: fields,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: stdSerializers.err, error: stdSerializers.err },
    },
    isReadable(logging.format, screen) ? readable : jsonLines(),
  );
}

/**
 * Writes to standard output directly, without a stream. When the disk is full, log lines are lost but the
 * server continues.
 */
function jsonLines(): DestinationStream {
  const lines = destination({ dest: 1, sync: true, maxLength: UNWRITTEN_BYTES_MAX });
  lines.on('error', () => undefined);
  return lines;
}
