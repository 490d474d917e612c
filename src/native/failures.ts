import { BackworksError, PluginFailure, type PluginFailureDetails, type PluginPhase } from '../errors.js';

import type { NativePluginOptions } from './plugin.js';

/** Functions of a plugin that receive its configuration. */
export type ConfiguringPhase = 'initialize' | 'reconfigure';

/**
 * The failure of a plugin that rejects its configuration.
 * @param text the plugin's own error message; empty when it gave none
 */
export function configurationRefused(
  plugin: string,
  phase: ConfiguringPhase,
  status: number,
  text: string,
  stderrTail: readonly string[] = [],
): PluginFailure {
  const why = text === '' ? `${phase}() returned ${status}` : text;
  const code = phase === 'initialize' ? 'BW_PLUGIN_INITIALIZE' : 'BW_PLUGIN_RECONFIGURE';
  const what = phase === 'initialize' ? 'refused to initialize' : 'refused its new configuration';
  return new PluginFailure(code, `plugin ${plugin} ${what}: ${why}`, {
    plugin,
    phase,
    hint: 'check its config block',
    stderrTail: [...stderrTail],
  });
}

/** The failure of a plugin whose sandbox cannot be applied. @param missing what this system lacks */
export function noSandbox(
  plugin: string,
  missing: string,
  details: Partial<PluginFailureDetails> = {},
): PluginFailure {
  return new PluginFailure(
    'BW_PLUGIN_SANDBOX',
    `the sandbox of plugin ${plugin} cannot be set up: ${missing}`,
    {
      plugin,
      phase: 'sandbox',
      ...details,
      hint: 'sandbox: best-effort applies only what this system supports; sandbox: off uses no sandbox',
    },
  );
}

/** The failure of a call in which the plugin called fail(). @param text the plugin's own error message */
export function pluginFailed(
  plugin: string,
  text: string,
  details: Omit<PluginFailureDetails, 'plugin'>,
): PluginFailure {
  const why = text === '' ? 'it gave no reason' : text;
  return new PluginFailure('BW_PLUGIN_FAILED', `plugin ${plugin} failed: ${why}`, { ...details, plugin });
}

/** The failure of a plugin with limits.concurrency above 1 whose library is not thread-safe. */
export function notThreadSafe(plugin: string, concurrency: number): PluginFailure {
  const message = `plugin ${plugin} has limits.concurrency ${concurrency}, but its library is not declared thread-safe`;
  const hint = 'use instances for more processes; a thread-safe library sets BACKWORKS_THREAD_SAFE';
  return new PluginFailure('BW_PLUGIN_UNSUPPORTED', message, { plugin, phase: 'load', hint });
}

/** The failure of a call that had not begun, or had only just begun, at its deadline. */
export function noTimeLeft(plugin: string): PluginFailure {
  const message = `plugin ${plugin} was too busy to finish the call before its deadline`;
  const hint = 'raise instances or timeouts.call, or send fewer requests';
  return new PluginFailure('BW_PLUGIN_OVERLOADED', message, { plugin, phase: 'idle', hint });
}

/** The failure of a request to a process that has ended. */
export function processGone(plugin: string, phase: PluginPhase): PluginFailure {
  const message = `the process of plugin ${plugin} has ended`;
  return new PluginFailure('BW_PLUGIN_UNAVAILABLE', message, { plugin, phase, retryAfterMs: 0 });
}

/** The error of a call that was cancelled before it began, because the client had disconnected. */
export function callCancelled(plugin: string): BackworksError {
  return new BackworksError(
    'BW_REQUEST_CANCELLED',
    `the client disconnected before plugin ${plugin} was called`,
  );
}

/**
 * Replaces the path of the loaded copy in a failure by the path that operators know.
 * @returns the thrown value itself when there is nothing to replace
 */
export function withOriginalPath(
  thrown: unknown,
  { libraryPath, originalPath = libraryPath }: Pick<NativePluginOptions, 'libraryPath' | 'originalPath'>,
): unknown {
  if (!(thrown instanceof PluginFailure) || !thrown.message.includes(libraryPath)) return thrown;
  const { code, message, cause } = thrown;
  return new PluginFailure(
    code,
    message.replaceAll(libraryPath, () => originalPath),
    { ...thrown, cause },
  );
}
