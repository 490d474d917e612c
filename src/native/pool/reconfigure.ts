import { PluginFailure, toBackworksError } from '../../errors.js';
import type { NativePluginOptions } from '../plugin.js';
import type { RunnerProcess } from '../runner/runner-process.js';

/** The options of a plugin; only the configuration changes here. */
type Options = Pick<NativePluginOptions, 'name' | 'initializeTimeoutMs'> & { configJson: string };

/**
 * Applies another configuration to every process of a plugin, one after the other, so that the other
 * processes keep answering. Processes that start meanwhile or later get it too.
 * @param processes the processes that take calls at the moment
 * @throws PluginFailure BW_PLUGIN_RECONFIGURE when a process rejects it. The former configuration is then
 *   active in all of them: a process that does not return to it is killed and replaced.
 */
export async function reconfigureAll(
  processes: () => readonly RunnerProcess[],
  options: Options,
  configJson: string,
): Promise<void> {
  const former = options.configJson;
  options.configJson = configJson;
  try {
    for (const process of processes()) await reconfigure(process, options);
  } catch (thrown) {
    options.configJson = former;
    for (const process of processes()) {
      await reconfigure(process, options).catch(() => process.kill(null));
    }
    throw asRefusal(options.name, thrown);
  }
}

/** Initializes a process. If the configuration changes meanwhile, the process gets it before it takes calls. */
export async function initializeWithNewest(process: RunnerProcess, options: Options): Promise<void> {
  await process.initialize();
  while (process.configJson !== options.configJson) await reconfigure(process, options);
}

/** A process that takes too long is killed, as during initialize(). */
async function reconfigure(process: RunnerProcess, options: Options): Promise<void> {
  if (process.configJson === options.configJson) return;
  const timer = setTimeout(() => process.kill({ kind: 'deadline' }), options.initializeTimeoutMs);
  await process.reconfigure(options.configJson).finally(() => clearTimeout(timer));
}

function asRefusal(plugin: string, thrown: unknown): PluginFailure {
  const { code, message } = toBackworksError(thrown);
  if (code === 'BW_PLUGIN_RECONFIGURE') return thrown as PluginFailure;
  return new PluginFailure('BW_PLUGIN_RECONFIGURE', message, {
    plugin,
    phase: 'reconfigure',
    cause: thrown,
  });
}
