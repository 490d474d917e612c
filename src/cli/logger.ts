import { destination, type DestinationStream, pino, stdSerializers, stdTimeFunctions } from 'pino';
import type { LoggingConfig } from '../config/types.js';
import type { Log } from '../log.js';
import { type LogRecord, readableLine } from './log-line.js';
import type { Screen } from './screen.js';

/** The log of a running server. */
export interface ServerLog extends Log {
  /** The least severe lines that are written; can be set. */
  level: string;
  /** The last line before the process ends itself. */
  fatal(fields: object, message: string): void;
}

/** Lines kept while they cannot be written. */
const UNWRITTEN_BYTES_MAX = 1024 * 1024;

/** Whether `format` means lines for people on this screen. */
export function isReadable(format: LoggingConfig['format'], screen: Screen): boolean {
  return format === 'pretty' || (format === 'auto' && screen.terminal);
}

/**
 * A log on standard output. Lines are written before the call returns: a server that crashes has said
 * everything it had to say. The readable form needs no package beyond those installed for users.
 * @param fields what every line has
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

/** Standard output without a stream in between. A disk that is full costs log lines, not the server. */
function jsonLines(): DestinationStream {
  const lines = destination({ dest: 1, sync: true, maxLength: UNWRITTEN_BYTES_MAX });
  lines.on('error', () => undefined);
  return lines;
}
