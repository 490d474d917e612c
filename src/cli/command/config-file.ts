import { resolve } from 'node:path';
import { findConfigFile, loadConfig, type LoadOptions, type Override } from '../../config/load/load.js';
import type { CommandContext } from './command.js';

export type LoadedConfig = Awaited<ReturnType<typeof loadConfig>>;

/** The configuration of a command. Loading it again uses the same inputs. */
export interface ConfigRequest {
  /** Absolute path. */
  readonly file: string;
  readonly options: LoadOptions;
}

/**
 * Determines the configuration of a command. The file is the command's argument, --config, BACKWORKS_CONFIG,
 * or the one in the working directory. The environment and single values come from flags, else from
 * variables.
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
 * Loads the configuration of a command.
 * @throws BackworksError BW_CONFIG_NOT_FOUND. @throws ConfigError
 */
export async function readConfig(context: CommandContext, named?: string): Promise<LoadedConfig> {
  const { file, options } = await requestConfig(context, named);
  return loadConfig(file, options);
}

/** Flags come last, so they take precedence. */
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
