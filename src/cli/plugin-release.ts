import { releaseLibrary } from '../backworks.js';
import { BackworksError, EXIT } from '../errors.js';
import type { PluginDocument } from '../admin/plugin-document.js';
import { actOnServer, type AdminTarget, askServer, requireServer } from './admin-client.js';
import type { CommandContext, ExitCode } from './command.js';
import { findServer } from './server-access.js';
import { noPlugin } from './no-plugin.js';
import { printJson } from './print.js';
import { oneLine } from '../printable.js';

const DIGEST_START = /^[0-9a-f]{8,64}$/;

/**
 * `backworks plugin release NAME|DIGEST`: the running server lifts the quarantine and loads the plugin
 * again; without one it is lifted in the cache directory, for the next start.
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
    else out.line(`${out.style('green', 'released')} ${plugin.name}, which is ${plugin.state} now`);
    return EXIT.ok;
  }
  const released = await releaseLibrary(which);
  if (released.length === 0) {
    const hint = 'give the name of a plugin or eight or more digits of a digest; see backworks plugin list';
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

/** A quarantine is the user's, not a configuration's: without a file it can be lifted all the same. */
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
  // Another machine's quarantine is not this one's.
  if (server.url !== undefined) await requireServer(server);
  const answer = await askServer(server);
  if (answer.kind === 'none') {
    say(`in the cache directory, for the next start: ${answer.why}`);
    return null;
  }
  if (server.admin.token === '') {
    say('in the cache directory, for the next start: admin.token is not set, so the server cannot be told');
    return null;
  }
  const byDigest = (digest: string | null): boolean =>
    DIGEST_START.test(which) && digest?.startsWith(which) === true;
  const { plugins } = answer.document;
  const found = plugins.find(({ name, digest }) => name === which || byDigest(digest)) ?? null;
  if (found === null && server.url !== undefined) throw noPlugin(which, plugins);
  return found;
}
