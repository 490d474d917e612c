import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { parseConfig } from '../../config/load/load.js';
import { checkPluginConfig } from '../../config/plugin-schema/check.js';
import { pluginTemplate, type TemplateFacts } from '../../config/plugin-schema/template.js';
import { vetSchema } from '../../config/plugin-schema/vet.js';
import { formatProblem } from '../../config/source/problems.js';
import { BackworksError, EXIT } from '../../errors.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { readConfig } from '../command/config-file.js';
import { isLibraryPath } from '../command/library-path.js';
import { openLibraryReader } from '../command/library-reader.js';
import { noPlugin } from '../command/no-plugin.js';
import { printJson } from '../terminal/print.js';
import { oneLine } from '../../printable.js';

/**
 * `backworks config template PLUGIN`: prints a configuration block for a plugin, generated from its library.
 */
export async function configTemplate(context: CommandContext, which: string): Promise<ExitCode> {
  const { name, path, directory } = await locate(context, which);
  const metadata = await openLibraryReader().read(path);
  const fault = metadata.configSchema === null ? null : vetSchema(metadata.configSchema);
  if (fault !== null) {
    const message = `the config_schema of ${path} cannot be used: ${fault}`;
    throw new BackworksError('BW_PLUGIN_METADATA', message, {
      hint: 'correct the JSON that manifest() returns',
    });
  }
  const facts: TemplateFacts = { ...metadata, name: name ?? metadata.name, path: shown(path, directory) };
  const template = pluginTemplate(facts);
  const problems = await problemsOf(template, facts);
  if (context.json) {
    const { version, description, priority, critical, maxExecutionTimeMs, permissions, configSchema } = facts;
    printJson(context.out, {
      name: facts.name,
      version,
      description,
      path: facts.path,
      priority,
      critical,
      max_execution_time_ms: maxExecutionTimeMs,
      permissions,
      config_schema: configSchema,
      template,
      problems,
    });
    return EXIT.ok;
  }
  for (const line of template.trimEnd().split('\n')) context.out.line(oneLine(line));
  for (const problem of problems) {
    context.err.line(`${context.err.style('yellow', 'to fill in')}: ${oneLine(problem)}`);
  }
  return EXIT.ok;
}

interface Located {
  /** Name of a configured plugin; null for a library path. */
  readonly name: string | null;
  readonly path: string;
  /** The directory that the path in the block is relative to. */
  readonly directory: string;
}

/** Finds a library by its path, or a configured plugin by its name. */
async function locate(context: CommandContext, which: string): Promise<Located> {
  if (isLibraryPath(which)) return { name: null, path: resolve(which), directory: process.cwd() };
  const { config } = await readConfig(context);
  const plugin = config.plugins.find(({ name }) => name === which);
  if (plugin === undefined) {
    throw noPlugin(which, config.plugins, `; a library is named by its path, such as ./${which}.so`);
  }
  if (plugin.path === null) {
    const message = `plugin ${which} has type "${plugin.type}", which has no library`;
    throw new BackworksError('BW_PLUGIN_UNSUPPORTED', message);
  }
  const directory = config.file === null ? process.cwd() : dirname(config.file);
  return { name: which, path: plugin.path, directory };
}

/** Values to fill in by hand: those that the schema does not determine, such as a text with a pattern. */
async function problemsOf(template: string, { name, configSchema }: TemplateFacts): Promise<string[]> {
  const { config } = parseConfig(template, { file: 'template', directory: '/', env: {} });
  const block = config.plugins[0]?.config ?? {};
  const check = await checkPluginConfig(configSchema, block, name);
  if (check.kind === 'fits') return [];
  return check.kind === 'misfit' ? check.problems.map(formatProblem) : [check.reason];
}

/** The path as the file is to show it: relative if it is below the file's directory. */
function shown(path: string, directory: string): string {
  const way = relative(directory, path);
  const isBelow = way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
  return isBelow ? `./${way.split(sep).join('/')}` : path;
}
