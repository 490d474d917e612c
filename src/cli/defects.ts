import type { CommandContext } from './command.js';
import { reportFailure } from './failure.js';
import type { ServerLog } from './logger.js';

type DefectContext = Pick<CommandContext, 'out' | 'err' | 'json' | 'verbose'>;

/** A defect leaves the process in a state nobody knows: it says so and ends. */
export function endOnDefects(log: Pick<ServerLog, 'fatal'>, context: DefectContext): void {
  const end = (err: unknown): void => {
    log.fatal({ err }, 'a defect ends the server');
    process.exit(reportFailure(err, context));
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}
