import { BackworksError, PluginFailure } from '../../errors.js';
import type { StoredLibrary } from '../../native/library/library-store.js';
import type { LoadedPlugin } from '../../plugins/loaded-plugin.js';
import type { RegistryEntry } from '../entry/registry-entry.js';
import type { SwapOrigin } from '../entry/swap-record.js';

/** Thrown to end a swap without an error: the library is already serving. */
export class Unchanged extends Error {}

/** Whether a library already serves. For a watched file a running canary counts too, so that it is not restarted. */
export function serves({ plugin, trial }: RegistryEntry, library: StoredLibrary, by: SwapOrigin): boolean {
  if (plugin !== null && isSame(plugin, library)) return true;
  return by === 'watch' && trial?.stage === 'canary' && isSame(trial.other, library);
}

function isSame(plugin: LoadedPlugin, { digest, dependencies }: StoredLibrary): boolean {
  return plugin.digest === digest && plugin.dependencies === dependencies.digest;
}

/** @throws PluginFailure BW_PLUGIN_UNHEALTHY, or the reason the health check failed */
export async function checkHealth(plugin: LoadedPlugin): Promise<void> {
  const { status, text } = await plugin.health();
  if (status !== 'unhealthy') return;
  const message = `plugin ${plugin.name} reports that it is unhealthy${text === '' ? '' : `: ${text}`}`;
  throw new PluginFailure('BW_PLUGIN_UNHEALTHY', message, { plugin: plugin.name, phase: 'health_check' });
}

export function inProcess(plugin: string): BackworksError {
  const message = `plugin ${plugin} runs in the server's own process, where a loaded library cannot be replaced`;
  const hint = 'restart the server, or use isolation: process';
  return new BackworksError('BW_PLUGIN_STATE', message, { hint });
}
