import { displayName } from '../config/source/file.js';
import { ConfigError, formatProblem, sortProblems } from '../config/source/problems.js';
import type { PluginConfig } from '../config/types.js';
import { EXIT } from '../errors.js';
import type { ConfigsReport } from '../plugins/check-configs.js';
import type { CommandContext, ExitCode } from './command.js';
import { type LoadedConfig, readConfig } from './config-file.js';
import { printJson } from './print.js';
import { printable } from './screen.js';

/** `backworks config check [FILE]`: the problems are the result, so they go to stdout. */
export async function configCheck(context: CommandContext, file?: string): Promise<ExitCode> {
  try {
    printSummary(context, await readAndCheck(context, file));
    return EXIT.ok;
  } catch (error) {
    if (context.json || !(error instanceof ConfigError)) throw error;
    const { out, err } = context;
    for (const problem of error.problems) out.line(printable(formatProblem(problem)));
    err.line(`${err.style(['red', 'bold'], error.code)}: ${count(error.problems.length, 'problem')}`);
    return error.exitCode;
  }
}

/**
 * Reads a configuration and checks the blocks of its plugins with their own schemas.
 * @throws ConfigError with the problems of both
 */
async function readAndCheck(context: CommandContext, file?: string): Promise<LoadedConfig> {
  let loaded: LoadedConfig | null = null;
  let failed: ConfigError | null = null;
  try {
    loaded = await readConfig(context, file);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    failed = error;
  }
  const { problems, unchecked } = await pluginProblems(loaded?.config.plugins ?? failed?.soundPlugins ?? []);
  const all = sortProblems([...(failed?.problems ?? []), ...problems]);
  if (loaded === null || all.length > 0) throw new ConfigError(all);
  return { ...loaded, warnings: [...loaded.warnings, ...unchecked] };
}

/** Native code is needed only where there are libraries. */
async function pluginProblems(plugins: readonly PluginConfig[]): Promise<ConfigsReport> {
  if (!plugins.some(({ enabled, path }) => enabled && path !== null)) return { problems: [], unchecked: [] };
  const { checkConfigs } = await import('../plugins/check-configs.js');
  const { openLibraryReader } = await import('./library-reader.js');
  return checkConfigs(plugins, openLibraryReader());
}

function printSummary(
  { out, err, json }: CommandContext,
  { config, warnings, environment }: LoadedConfig,
): void {
  const { file, name, version, endpoints, plugins } = config;
  if (json) {
    printJson(out, {
      ok: true,
      file,
      environment,
      name,
      version,
      endpoints: endpoints.length,
      plugins: plugins.length,
      warnings,
    });
    return;
  }
  for (const warning of warnings) err.line(`${err.style('yellow', 'warning')}: ${printable(warning)}`);
  const amounts = `${count(endpoints.length, 'endpoint')}, ${count(plugins.length, 'plugin')}`;
  const what = `${file === null ? name : displayName(file)}${environment === null ? '' : `@${environment}`}`;
  out.line(`${out.style('green', 'ok')}: ${what}: ${amounts}`);
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
