import { resolve } from 'node:path';
import { findConfigFile, loadConfig } from '../config/load.js';
import type { CommandContext } from './command.js';

/** What loadConfig() resolves to. */
export type LoadedConfig = Awaited<ReturnType<typeof loadConfig>>;

/**
 * Loads the configuration a command is about: the file it names, --config, BACKWORKS_CONFIG, or the
 * one in the working directory.
 * @throws BackworksError BW_CONFIG_NOT_FOUND. @throws ConfigError
 */
export async function readConfig(context: CommandContext, named?: string): Promise<LoadedConfig> {
  const given = named ?? context.config ?? (context.env['BACKWORKS_CONFIG'] || undefined);
  const file = given === undefined ? await findConfigFile(process.cwd()) : resolve(given);
  return loadConfig(file, { env: context.env });
}
