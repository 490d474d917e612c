import type { CommandContext } from '../command/command.js';
import { reportFailure } from '../command/failure.js';
import type { ServerLog } from '../terminal/logger.js';

type DefectContext = Pick<CommandContext, 'out' | 'err' | 'json' | 'verbose'>;

/** After a defect the state of the process is unknown, so the process logs the defect and exits. */
export function endOnDefects(log: Pick<ServerLog, 'fatal'>, context: DefectContext): void {
  const end = (err: unknown): void => {
    log.fatal({ err }, 'unexpected error in the server itself; the server exits');
    process.exit(reportFailure(err, context));
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}
