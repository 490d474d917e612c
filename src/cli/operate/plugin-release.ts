import { releaseLibrary } from '../../backworks.js';
import { BackworksError, EXIT } from '../../errors.js';
import type { PluginDocument } from '../../admin/plugin-document.js';
import { actOnServer, type AdminTarget, askServer, requireServer } from './admin-client.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { findServer } from './server-access.js';
import { noPlugin } from '../command/no-plugin.js';
import { printJson } from '../terminal/print.js';
import { oneLine } from '../../printable.js';

const DIGEST_START = /^[0-9a-f]{8,64}$/;

/**
 * `backworks plugin release NAME|DIGEST`: has the running server lift the quarantine and load the plugin
 * again. Without a server, the quarantine is lifted in the cache directory for the next start.
 */
export async function pluginRelease(context: CommandContext, which: string): Promise<ExitCode> {
  const server = await serverOf(context);
  const { out, err } = context;
  const onServer =
    server === null ? null : await findOnServer(server, which, (why) => err.line(err.style('dim', why)));
  if (server !== null && onServer !== null) {
    const plugin = await actOnServer<PluginDocument>(
      server,
      `/plugins/${encodeURIComponent(onServer.name)}/release`,
    );
    if (context.json) printJson(out, { source: 'server', plugin });
    else out.line(`${out.style('green', 'released')} ${plugin.name}, which is now ${plugin.state}`);
    return EXIT.ok;
  }
  const released = await releaseLibrary(which);
  if (released.length === 0) {
    const hint = 'use the name of a plugin or at least eight digits of a digest; see backworks plugin list';
    throw new BackworksError('BW_PLUGIN_STATE', `nothing in quarantine matches ${JSON.stringify(which)}`, {
      hint,
    });
  }
  if (context.json) printJson(out, { source: 'disk', released });
  for (const { plugin, digest, since, reason } of context.json ? [] : released) {
    const what = `${plugin} (${digest.slice(0, 12)}), in quarantine since ${since}: ${reason}`;
    out.line(`${out.style('green', 'released')} ${oneLine(what)}`);
  }
  return EXIT.ok;
}

/** The quarantine belongs to the user, not to a configuration, so it can be lifted without a file. */
async function serverOf(context: CommandContext): Promise<AdminTarget | null> {
  try {
    return (await findServer(context)).target;
  } catch (error) {
    const given = context.config ?? context.env['BACKWORKS_CONFIG'];
    const missing = error instanceof BackworksError && error.code === 'BW_CONFIG_NOT_FOUND';
    if (missing && !given) return null;
    throw error;
  }
}

async function findOnServer(
  server: AdminTarget,
  which: string,
  say: (why: string) => void,
): Promise<PluginDocument | null> {
  // With --url, only the quarantine of that server can be lifted. This machine's cache belongs to another one.
  if (server.url !== undefined) await requireServer(server);
  const answer = await askServer(server);
  if (answer.kind === 'none') {
    say(`releasing in the cache directory, for the next start: ${answer.why}`);
    return null;
  }
  if (server.admin.token === '') {
    say(
      'releasing in the cache directory, for the next start: admin.token is not set, so the server would not accept the request',
    );
    return null;
  }
  const byDigest = (digest: string | null): boolean =>
    DIGEST_START.test(which) && digest?.startsWith(which) === true;
  const { plugins } = answer.document;
  const found = plugins.find(({ name, digest }) => name === which || byDigest(digest)) ?? null;
  if (found === null && server.url !== undefined) throw noPlugin(which, plugins);
  return found;
}
