import { resolve } from 'node:path';
import { findConfigFile, loadConfig, type LoadOptions, type Override } from '../config/load/load.js';
import type { CommandContext } from './command.js';

/** What loadConfig() resolves to. */
export type LoadedConfig = Awaited<ReturnType<typeof loadConfig>>;

/** Which configuration a command is about; the same whenever it is loaded again. */
export interface ConfigRequest {
  /** Absolute. */
  readonly file: string;
  readonly options: LoadOptions;
}

/**
 * Finds out what a command is to load: the file it names, --config, BACKWORKS_CONFIG, or the one in the
 * working directory; the environment and single values of the flags, or else of the variables.
 * @throws BackworksError BW_CONFIG_NOT_FOUND
 */
export async function requestConfig(context: CommandContext, named?: string): Promise<ConfigRequest> {
  const { env } = context;
  const given = named ?? context.config ?? (env['BACKWORKS_CONFIG'] || undefined);
  const file = given === undefined ? await findConfigFile(process.cwd()) : resolve(given);
  const environment = context.environment ?? (env['BACKWORKS_ENV'] || undefined);
  return { file, options: { env, environment, overrides: overridesOf(context) } };
}

/**
 * Loads the configuration a command is about.
 * @throws BackworksError BW_CONFIG_NOT_FOUND. @throws ConfigError
 */
export async function readConfig(context: CommandContext, named?: string): Promise<LoadedConfig> {
  const { file, options } = await requestConfig(context, named);
  return loadConfig(file, options);
}

/** Flags come last, so that they count most. */
function overridesOf({ env, set }: CommandContext): Override[] {
  const lines = (env['BACKWORKS_SET'] ?? '').split('\n').filter((line) => line.trim() !== '');
  return [
    ...lines.map((line) => override(line.trim(), 'variable', 'BACKWORKS_SET')),
    ...set.map((assignment) => override(assignment, 'flag', '--set')),
  ];
}

function override(assignment: string, kind: 'flag' | 'variable', name: string): Override {
  return { assignment, layer: { kind, name } };
}
