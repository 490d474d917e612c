import { EXIT } from '../../errors.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { findServer } from './server-access.js';
import { noPlugin } from '../command/no-plugin.js';
import { printPlugin } from './plugin-report.js';
import { collectPlugins } from './plugin-source.js';
import { printJson } from '../terminal/print.js';

/** `backworks plugin status NAME`: shows everything known about one plugin. */
export async function pluginStatus(context: CommandContext, name: string): Promise<ExitCode> {
  const access = await findServer(context);
  const { out, err } = context;
  const { source, plugins } = await collectPlugins(access, (how) => err.line(err.style('dim', how)));
  const plugin = plugins.find((candidate) => candidate.name === name);
  if (plugin === undefined) throw noPlugin(name, plugins);
  if (context.json) printJson(out, { source, plugin });
  else printPlugin(out, plugin);
  return EXIT.ok;
}
