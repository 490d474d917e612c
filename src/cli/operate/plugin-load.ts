import { basename, dirname, resolve } from 'node:path';
import { validatePlugin } from '../../backworks.js';
import type { BackworksConfig } from '../../config/types.js';
import { BackworksError, EXIT } from '../../errors.js';
import type { ReloadDocument } from '../../reload/report.js';
import type { PluginDocument } from '../../admin/plugin-document.js';
import { oneLine } from '../../printable.js';
import { actOnServer, type AdminTarget, askServer, requireServer } from './admin-client.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { findServer, type ServerAccess } from './server-access.js';
import { isLibraryPath } from '../command/library-path.js';
import { isAlready, pluginPath, report } from './plugin-control.js';
import { type FileChange, writeChange } from './plugin-file.js';
import { printJson } from '../terminal/print.js';

/**
 * `backworks plugin load NAME|PATH`: makes the running server load a configured plugin, or a library in one
 * of its plugin directories. With `write`, any other library is added to the file, and the server reloads the
 * file. The admin API never accepts a path.
 */
export async function pluginLoad(
  context: CommandContext,
  which: string,
  { write = false }: { readonly write?: boolean } = {},
): Promise<ExitCode> {
  const access = await findServer(context);
  const { target } = access;
  // The server resolves names. A path or `write` needs the configuration.
  const config = write || isLibraryPath(which) ? access.requireConfig() : access.config;
  const name = config === null ? which : nameOf(config, which);
  if (name === null) return addEntry(context, access, resolve(which), write);
  const { plugins } = await requireServer(target);
  const before = plugins.find((candidate) => candidate.name === name);
  const plugin =
    write && before !== undefined && isAlready('load', before)
      ? before
      : await actOnServer<PluginDocument>(target, pluginPath(name, 'load'));
  const isDisabled = config?.plugins.some((entry) => entry.name === plugin.name && !entry.enabled) ?? false;
  const change =
    config !== null && isDisabled ? await writeChange(config, plugin.name, { kind: 'enable' }, write) : null;
  return report(context, 'load', plugin.name, plugin, change);
}

/** The name under which the server knows the library; null when the server does not search its directory. */
function nameOf(config: BackworksConfig, which: string): string | null {
  if (!isLibraryPath(which)) return which;
  const path = resolve(which);
  const entry = config.plugins.find((candidate) => candidate.path === path);
  if (entry !== undefined) return entry.name;
  const { enabled, directories } = config.autoDiscover;
  return enabled && directories.includes(dirname(path)) ? basename(path) : null;
}

async function addEntry(
  context: CommandContext,
  { target, requireConfig }: ServerAccess,
  path: string,
  write: boolean,
): Promise<ExitCode> {
  const { ok, metadata, checks } = await validatePlugin(path, undefined, { quick: true });
  if (!ok || metadata === null) {
    const failed = checks.find(({ outcome }) => outcome === 'failed');
    throw new BackworksError('BW_PLUGIN_LOAD', `${path}: ${failed?.detail ?? 'not a usable plugin'}`, {
      hint: failed?.hint ?? undefined,
    });
  }
  const change = await writeChange(requireConfig(), metadata.name, { kind: 'add', path }, write);
  if (change?.written !== true) throw nowhere(path, change);
  return reloadEntry(context, target, metadata.name, change);
}

async function reloadEntry(
  context: CommandContext,
  target: AdminTarget,
  name: string,
  change: FileChange,
): Promise<ExitCode> {
  const { out, err } = context;
  const isUp = (await askServer(target)).kind === 'plugins' && target.admin.token !== '';
  const reloaded = isUp ? await actOnServer<ReloadDocument>(target, '/reload') : null;
  const failed = reloaded?.failed.find((failure) => failure.name === name);
  if (context.json) printJson(out, { plugin: name, file: change, reload: reloaded });
  else {
    out.line(oneLine(`${change.file}: ${change.what}`));
    if (failed !== undefined) err.line(err.style('red', oneLine(failed.message)));
    else if (reloaded !== null) out.line(`${out.style('green', 'loaded')} ${name}`);
    else
      err.line(
        err.style(
          'dim',
          'no server of this configuration is running: the plugin is loaded at the next start',
        ),
      );
  }
  return failed === undefined ? EXIT.ok : EXIT.plugin;
}

function nowhere(path: string, change: FileChange | null): BackworksError {
  const hint =
    change === null
      ? 'the file already has an entry with its name: load it by that name'
      : `add it to ${change.file}, with --write or by hand: ${change.what}`;
  return new BackworksError(
    'BW_USAGE',
    `${path} is not in a directory that the server searches for plugins`,
    { hint },
  );
}
