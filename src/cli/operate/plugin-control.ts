import type { BackworksConfig } from '../../config/types.js';
import { EXIT } from '../../errors.js';
import type { PluginDocument } from '../../admin/plugin-document.js';
import { oneLine } from '../../printable.js';
import { actOnServer, askServer, requireServer } from './admin-client.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { findServer } from './server-access.js';
import { noPlugin } from '../command/no-plugin.js';
import { type FileChange, writeChange } from './plugin-file.js';
import { printJson } from '../terminal/print.js';

export type ControlAction = 'enable' | 'disable' | 'unload' | 'restart';

export interface ControlOptions {
  /** Stop the plugin even if endpoints name it. */
  readonly force?: boolean;
  /** Change the file as well. */
  readonly write?: boolean;
}

const DONE: Readonly<Record<ControlAction | 'load', string>> = {
  load: 'loaded',
  enable: 'enabled',
  disable: 'disabled',
  unload: 'unloaded',
  restart: 'restarted',
};

/**
 * `backworks plugin enable|disable|unload|restart NAME`: sends the action to the running server. The next
 * reload or restart applies the file again and undoes the action, unless `write` changes the file too.
 */
export async function pluginControl(
  context: CommandContext,
  action: ControlAction,
  name: string,
  { force = false, write = false }: ControlOptions = {},
): Promise<ExitCode> {
  const { target, config, requireConfig } = await findServer(context);
  const query = force ? '?force=true' : '';
  const isUp = (await askServer(target)).kind === 'plugins';
  // Checked before any change: without the configuration there is no file to write to.
  if (write) requireConfig();
  let plugin: PluginDocument | null = null;
  // Without a server, only the file can be changed.
  if (isUp || !write) {
    const { plugins } = await requireServer(target);
    const before = plugins.find((candidate) => candidate.name === name);
    if (before === undefined) throw noPlugin(name, plugins);
    // An earlier run without --write has already changed the server, so only the file is left to change.
    if (write && isAlready(action, before)) plugin = before;
    else plugin = await actOnServer<PluginDocument>(target, pluginPath(name, action) + query);
    plugin = { ...plugin, path: plugin.path ?? before.path };
  }
  const change =
    action === 'restart' || config === null ? null : await changeOf(config, action, name, plugin, write);
  if (config === null && action !== 'restart' && !context.json)
    context.err.line('in effect until the next reload or restart; the configuration file was not read');
  return report(context, action, name, plugin, change);
}

/** Whether the plugin is already in the state that the action leads to. */
export function isAlready(action: ControlAction | 'load', { state }: PluginDocument): boolean {
  if (action === 'disable' || action === 'unload') return state === 'stopped';
  return action !== 'restart' && state !== 'stopped' && state !== 'failed';
}

/** The path of an action in the admin API. */
export function pluginPath(name: string, action: string): string {
  return `/plugins/${encodeURIComponent(name)}/${action}`;
}

/** @param plugin null when no server was changed */
export function report(
  { json, out, err }: CommandContext,
  action: ControlAction | 'load',
  name: string,
  plugin: PluginDocument | null,
  change: FileChange | null,
): ExitCode {
  if (json) {
    printJson(out, { plugin, file: change });
    return EXIT.ok;
  }
  if (plugin !== null) {
    const state = plugin.state === 'ready' ? '' : `, which is now ${plugin.state}`;
    out.line(`${out.style('green', DONE[action])} ${plugin.name}${state}`);
  } else
    err.line(
      err.style(
        'dim',
        `no server of this configuration is running: the change takes effect at the next start`,
      ),
    );
  if (change === null) return EXIT.ok;
  if (change.written) out.line(oneLine(`${change.file}: ${change.what}`));
  else {
    err.line(oneLine(`in effect until the next reload or restart: ${change.file} was not changed`));
    err.line(err.style('dim', oneLine(`to keep the change, pass --write or edit the file: ${change.what}`)));
  }
  return EXIT.ok;
}

function changeOf(
  config: BackworksConfig,
  action: Exclude<ControlAction, 'restart'>,
  name: string,
  plugin: PluginDocument | null,
  write: boolean,
): Promise<FileChange | null> {
  const kind = action === 'unload' ? 'remove' : action;
  const entry = config.plugins.find((candidate) => candidate.name === name);
  const path = entry === undefined ? (plugin?.path ?? null) : null;
  // A plugin in a searched directory is found again at the next start, so its entry must disable it.
  if (kind === 'remove' && entry !== undefined) return writeChange(config, name, { kind }, write);
  if (kind === 'enable') return writeChange(config, name, { kind }, write);
  return writeChange(config, name, { kind: 'disable', path }, write);
}
