import { EXIT } from '../../errors.js';
import type { PluginDocument } from '../../admin/plugin-document.js';
import type { SwapDocument } from '../../admin/version-routes.js';
import { actOnServer, requireServer } from './admin-client.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { findServer } from './server-access.js';
import { noPlugin } from '../command/no-plugin.js';
import { printJson } from '../terminal/print.js';
import { oneLine } from '../../printable.js';

/**
 * `backworks plugin swap NAME`: has the running server switch to the library that is now at the plugin's
 * path.
 */
export async function pluginSwap(context: CommandContext, name: string): Promise<ExitCode> {
  const { target } = await findServer(context);
  const { plugins } = await requireServer(target);
  if (!plugins.some((plugin) => plugin.name === name)) throw noPlugin(name, plugins);
  const answer = await actOnServer<SwapDocument>(target, `/plugins/${encodeURIComponent(name)}/swap`);
  const { out } = context;
  if (context.json) printJson(out, answer);
  else out.line(sentence(answer));
  return EXIT.ok;

  function sentence({ result, plugin }: SwapDocument): string {
    const tried = plugin.versions.find(({ role }) => role === 'canary');
    if (result === 'unchanged')
      return `${plugin.name} already runs the library at its path: ${serving(plugin)}`;
    if (result === 'canary' && tried !== undefined && plugin.trial !== null) {
      const { percent, until } = plugin.trial;
      const what = `${tried.version} gets ${percent}% of the requests of ${plugin.name} until ${until}`;
      return `${out.style('yellow', 'canary')} ${oneLine(what)}`;
    }
    const probation = plugin.trial === null ? '' : `, in probation until ${plugin.trial.until}`;
    return `${out.style('green', 'swapped')} ${plugin.name} to ${serving(plugin)}${probation}`;
  }
}

/** `backworks plugin rollback NAME [--to N|DIGEST]`: has the running server return to an earlier version. */
export async function pluginRollback(
  context: CommandContext,
  name: string,
  { to }: { readonly to?: string },
): Promise<ExitCode> {
  const { target } = await findServer(context);
  const { plugins } = await requireServer(target);
  if (!plugins.some((plugin) => plugin.name === name)) throw noPlugin(name, plugins);
  const query = to === undefined ? '' : `?to=${encodeURIComponent(to)}`;
  const path = `/plugins/${encodeURIComponent(name)}/rollback${query}`;
  const plugin = await actOnServer<PluginDocument>(target, path);
  const { out } = context;
  if (context.json) printJson(out, plugin);
  else out.line(`${out.style('green', 'rolled back')} ${plugin.name} to ${serving(plugin)}`);
  return EXIT.ok;
}

function serving({ version, digest }: PluginDocument): string {
  return oneLine(`${version ?? 'unknown'} (${digest?.slice(0, 12) ?? 'unknown'})`);
}
