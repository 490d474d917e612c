import { displayName } from '../../config/source/file.js';
import { ConfigError, formatProblem, sortProblems } from '../../config/source/problems.js';
import type { BackworksConfig, PluginConfig } from '../../config/types.js';
import { EXIT } from '../../errors.js';
import type { PluginVerdict } from '../../lifecycle/registry/registry.js';
import { oneLine } from '../../printable.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { failingOpen, failOpenSentence } from '../command/fail-open.js';
import { type LoadedConfig, readConfig } from '../command/config-file.js';
import { printJson } from '../terminal/print.js';

export interface CheckOptions {
  /** Warnings make the check fail. */
  readonly strict?: boolean;
}

/** What `start` would do with a configuration. */
interface Checked extends LoadedConfig {
  /** Critical plugins that do not start, so the server would not start either. */
  readonly refused: readonly PluginVerdict[];
  /** Plugins with before_request whose failure lets requests through. */
  readonly failOpen: readonly string[];
}

/**
 * `backworks config check [FILE]`: checks whether `start` would accept the configuration. Problems are the
 * result of this command, so they go to stdout.
 */
export async function configCheck(
  context: CommandContext,
  file?: string,
  { strict = false }: CheckOptions = {},
): Promise<ExitCode> {
  try {
    return printResult(context, await readAndCheck(context, file), strict);
  } catch (error) {
    if (context.json || !(error instanceof ConfigError)) throw error;
    const { out, err } = context;
    for (const problem of error.problems) out.line(formatProblem(problem));
    err.line(`${err.style(['red', 'bold'], error.code)}: ${count(error.problems.length, 'problem')}`);
    return error.exitCode;
  }
}

/**
 * Reads a configuration, checks each plugin's `config:` block against the plugin's schema, and checks plugins
 * as a start would. Nothing is initialized.
 * @throws ConfigError with the problems of the file and of the blocks
 * @throws BackworksError BW_PLUGIN_DUPLICATE when two libraries have the same name, BW_SERVER_TLS
 */
async function readAndCheck(context: CommandContext, file?: string): Promise<Checked> {
  let loaded: LoadedConfig | null = null;
  let failed: ConfigError | null = null;
  try {
    loaded = await readConfig(context, file);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    failed = error;
  }
  const problems = await blockProblems(loaded?.config.plugins ?? failed?.validPlugins ?? []);
  const all = sortProblems([...(failed?.problems ?? []), ...problems]);
  if (loaded === null || all.length > 0) throw new ConfigError(all);
  const { verdicts, failOpen } = await judge(loaded.config, context.env);
  const warnings = verdicts.filter(({ critical }) => !critical).map(sentence);
  return {
    ...loaded,
    warnings: [...loaded.warnings, ...(await certificateWarnings(loaded.config)), ...warnings],
    refused: verdicts.filter(({ critical }) => critical),
    failOpen,
  };
}

/** @throws BackworksError BW_SERVER_TLS when the server could not start with its certificates */
async function certificateWarnings({ server: { tls } }: BackworksConfig): Promise<string[]> {
  if (tls === null) return [];
  const { Certificates } = await import('../../tls/certificates.js');
  return (await Certificates.open(tls)).warnings();
}

/** Loads native code only if there are libraries. */
async function blockProblems(plugins: readonly PluginConfig[]): Promise<ConfigError['problems']> {
  if (!plugins.some(({ enabled, path }) => enabled && path !== null)) return [];
  const { checkConfigs } = await import('../../plugins/check-configs.js');
  const { openLibraryReader } = await import('../command/library-reader.js');
  return checkConfigs(plugins, openLibraryReader());
}

async function judge(
  config: BackworksConfig,
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly verdicts: readonly PluginVerdict[]; readonly failOpen: readonly string[] }> {
  if (config.plugins.length === 0 && !config.autoDiscover.enabled) return { verdicts: [], failOpen: [] };
  const { createBackworks } = await import('../../backworks.js');
  const backworks = createBackworks(config, { environment });
  try {
    const verdicts = await backworks.inspect();
    return { verdicts, failOpen: failingOpen(backworks.plugins()) };
  } finally {
    await backworks.stop();
  }
}

/** `file:line:column: plugins.NAME: code: why — hint` */
function sentence({ name, error, where }: PluginVerdict): string {
  return oneLine(`${where === null ? '' : `${where}: `}plugins.${name}: will not start: ${String(error)}`);
}

function printResult(context: CommandContext, checked: Checked, strict: boolean): ExitCode {
  const { out, err, json } = context;
  const { config, warnings, environment, refused, failOpen } = checked;
  const { file, name, version, endpoints, plugins } = config;
  const [first] = refused;
  const code = first?.error.exitCode ?? (strict && warnings.length > 0 ? EXIT.config : EXIT.ok);
  if (json) {
    printJson(out, {
      ok: code === EXIT.ok,
      file,
      environment,
      name,
      version,
      endpoints: endpoints.length,
      plugins: plugins.length,
      warnings,
      refused: refused.map(refusedDocument),
      fail_open: failOpen,
    });
    return code;
  }
  for (const warning of warnings) err.line(`${err.style('yellow', 'warning')}: ${oneLine(warning)}`);
  if (failOpen.length > 0) err.line(`${err.style('dim', 'note')}: ${failOpenSentence(failOpen)}`);
  for (const verdict of refused) out.line(sentence(verdict));
  if (first !== undefined) {
    const what = `${count(refused.length, 'critical plugin')} would prevent the server from starting`;
    err.line(`${err.style(['red', 'bold'], first.error.code)}: ${what}`);
  } else if (code !== EXIT.ok) {
    err.line(
      `${err.style(['red', 'bold'], 'BW_CONFIG_INVALID')}: ${count(warnings.length, 'warning')} (--strict)`,
    );
  } else {
    const amounts = `${count(endpoints.length, 'endpoint')}, ${count(plugins.length, 'plugin')}`;
    const what = `${file === null ? name : displayName(file)}${environment === null ? '' : `@${environment}`}`;
    out.line(`${out.style('green', 'ok')}: ${oneLine(what)}: ${amounts}`);
  }
  return code;
}

function refusedDocument({ name, error, where }: PluginVerdict): object {
  const { code, message, hint = null } = error;
  return { plugin: name, code, message, hint, where };
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
