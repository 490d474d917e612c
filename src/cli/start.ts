import { createBackworks } from '../backworks.js';
import { loadConfig } from '../config/load.js';
import { EXIT } from '../errors.js';
import { announce } from './announcement.js';
import type { CommandContext, ExitCode } from './command.js';
import { type LoadedConfig, requestConfig } from './config-file.js';
import { createLogger, type ServerLog } from './logger.js';
import { reportFailure } from './failure.js';
import { listenForStop } from './signals.js';

/** `backworks start`: serves until it is asked to stop. */
export async function start(context: CommandContext): Promise<ExitCode> {
  const request = await requestConfig(context);
  const load = (): Promise<LoadedConfig> => loadConfig(request.file, request.options);
  const { config, warnings, environment } = await load();
  const logging = context.json ? { ...config.logging, format: 'json' as const } : config.logging;
  const log = createLogger(logging, context.out);
  endOnDefects(log, context);
  if (environment !== null) log.info({ environment }, `environment ${environment}`);
  for (const warning of warnings) log.warn({}, warning);

  // What is wrong with a configuration is logged where it is found.
  const stop = listenForStop(() => void backworks.reload().catch(() => undefined));
  const backworks = createBackworks(config, {
    log,
    environment: process.env,
    load,
    configured: (next) => void (log.level = next.logging.level),
  });
  const started = backworks.start();
  const signal = await Promise.race([stop.first, started.then(() => null)]);
  if (signal === null) {
    announce({ config, backworks, address: await started, log, logging, context });
    log.info({ signal: await stop.first }, 'stopping');
  } else {
    log.info({ signal }, 'stopping before the start was complete');
    // What the interrupted start reports no longer matters.
    started.catch(() => undefined);
  }
  await backworks.stop();
  log.info({}, 'stopped');
  return EXIT.ok;
}

/** A defect leaves the process in a state nobody knows: it says so and ends. */
function endOnDefects(log: ServerLog, context: CommandContext): void {
  const end = (err: unknown): void => {
    log.fatal({ err }, 'a defect ends the server');
    process.exit(reportFailure(err, context));
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}
