import { fileURLToPath } from 'node:url';
import { type Backworks, type BackworksOptions, createBackworks } from '../../backworks.js';
import type { ClusterOptions } from '../../cluster/clustered.js';
import { loadConfig } from '../../config/load/load.js';
import type { BackworksConfig } from '../../config/types.js';
import { type BackworksError, EXIT } from '../../errors.js';
import { announce } from './announcement.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { type LoadedConfig, requestConfig } from '../command/config-file.js';
import { endOnDefects } from './defects.js';
import { createLogger } from '../terminal/logger.js';
import { listenForStop } from '../command/signals.js';

/** `backworks start`: serves until a stop signal. */
export async function start(context: CommandContext): Promise<ExitCode> {
  const request = await requestConfig(context);
  const load = (): Promise<LoadedConfig> => loadConfig(request.file, request.options);
  const { config, warnings, environment } = await load();
  const logging = context.json ? { ...config.logging, format: 'json' as const } : config.logging;
  const log = createLogger(logging, context.out);
  endOnDefects(log, context);
  if (environment !== null) log.info({ environment }, `the overlay of environment ${environment} applies`);
  for (const warning of warnings) log.warn({}, warning);

  // reload() logs the problems of a configuration itself.
  const stop = listenForStop(() => void backworks.reload().catch(() => undefined));
  let fail = (_error: BackworksError): void => undefined;
  const failure = new Promise<BackworksError>((resolve) => (fail = resolve));
  const backworks = await createServer(config, {
    log,
    logging,
    failed: fail,
    environment: process.env,
    load,
    configured: (next) => void (log.level = next.logging.level),
  });
  const started = backworks.start();
  const signal = await Promise.race([stop.first, started.then(() => null)]);
  if (signal === null) {
    announce({ config, backworks, address: await started, log, logging, context });
    const reason = await Promise.race([stop.first, failure]);
    if (typeof reason !== 'string') {
      log.fatal({ code: reason.code }, reason.message);
      await backworks.stop();
      throw reason;
    }
    log.info({ signal: reason }, 'stopping after the requests in flight');
  } else {
    log.info({ signal }, 'stopping; startup had not completed');
    // Failures of an interrupted start no longer matter.
    started.catch(() => undefined);
  }
  await backworks.stop();
  log.info({}, 'stopped');
  return EXIT.ok;
}

/** One process answers requests, or `server.workers` processes. */
async function createServer(
  config: BackworksConfig,
  options: BackworksOptions & Pick<ClusterOptions, 'logging' | 'failed'>,
): Promise<Omit<Backworks, 'inspect'>> {
  if (config.server.workers === 1) return createBackworks(config, options);
  const { createClusteredBackworks } = await import('../../cluster/clustered.js');
  const program = fileURLToPath(new URL('worker.js', import.meta.url));
  return createClusteredBackworks(config, { ...options, program });
}
