import type { BackworksConfig } from '../config/types.js';
import { EXIT } from '../errors.js';
import type { PluginDocument } from '../admin/plugin-document.js';
import { oneLine } from '../printable.js';
import { actOnServer, askServer, requireServer } from './admin-client.js';
import type { CommandContext, ExitCode } from './command.js';
import { findServer } from './server-access.js';
import { noPlugin } from './no-plugin.js';
import { type FileChange, writeChange } from './plugin-file.js';
import { printJson } from './print.js';

export type ControlAction = 'enable' | 'disable' | 'unload' | 'restart';

export interface ControlOptions {
  /** The plugin is stopped although endpoints name it. */
  readonly force?: boolean;
  /** The file says so too afterwards. */
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
 * `backworks plugin enable|disable|unload|restart NAME`: tells the running server. What it is told is not in
 * the file, so the next reload or start undoes it, unless `write` puts it there.
 */
export async function pluginControl(
  context: CommandContext,
  action: ControlAction,
  name: string,
  { force = false, write = false }: ControlOptions = {},
): Promise<ExitCode> {
  const { target, config, needConfig } = await findServer(context);
  const query = force ? '?force=true' : '';
  const isUp = (await askServer(target)).kind === 'plugins';
  // Before anything is done: without the configuration there is nothing to write to.
  if (write) needConfig();
  let plugin: PluginDocument | null = null;
  // Without a server the file is all there is to change.
  if (isUp || !write) {
    const { plugins } = await requireServer(target);
    const before = plugins.find((candidate) => candidate.name === name);
    if (before === undefined) throw noPlugin(name, plugins);
    // Done before without --write, which said how to keep it: now the file is all there is to change.
    if (write && isSo(action, before)) plugin = before;
    else plugin = await actOnServer<PluginDocument>(target, pluginPath(name, action) + query);
    plugin = { ...plugin, path: plugin.path ?? before.path };
  }
  const change =
    action === 'restart' || config === null ? null : await changeOf(config, action, name, plugin, write);
  if (config === null && action !== 'restart' && !context.json)
    context.err.line('until the next reload or start: the configuration file was not looked at');
  return report(context, action, name, plugin, change);
}

/** Whether the plugin is as the action would leave it. */
export function isSo(action: ControlAction | 'load', { state }: PluginDocument): boolean {
  if (action === 'disable' || action === 'unload') return state === 'stopped';
  return action !== 'restart' && state !== 'stopped' && state !== 'failed';
}

/** The path of an action in the admin API. */
export function pluginPath(name: string, action: string): string {
  return `/plugins/${encodeURIComponent(name)}/${action}`;
}

/** @param plugin null when no server was told */
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
    const state = plugin.state === 'ready' ? '' : `, which is ${plugin.state} now`;
    out.line(`${out.style('green', DONE[action])} ${plugin.name}${state}`);
  } else
    err.line(err.style('dim', `no server of this configuration was told: ${name} is so at the next start`));
  if (change === null) return EXIT.ok;
  if (change.written) out.line(oneLine(`${change.file}: ${change.what}`));
  else {
    err.line(oneLine(`until the next reload or start: ${change.file} does not say so`));
    err.line(err.style('dim', oneLine(`to keep it, --write or by hand: ${change.what}`)));
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
  // One that lies in a directory comes back by itself unless an entry says otherwise.
  if (kind === 'remove' && entry !== undefined) return writeChange(config, name, { kind }, write);
  if (kind === 'enable') return writeChange(config, name, { kind }, write);
  return writeChange(config, name, { kind: 'disable', path }, write);
}
