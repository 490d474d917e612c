import { type BackworksError, PluginFailure } from '../../errors.js';
import { oneLine } from '../../printable.js';
import { Failure } from '../protocol/protocol.js';
import { callCancelled, noSandbox, pluginFailed } from '../failures.js';
import type { AnswerHandler } from './answer-handler.js';

/**
 * Converts a FAILED frame to an error.
 * @param failure the frame's detail
 * @param payload the runner's message
 */
export function failedFrame(
  plugin: string,
  { phase, cancelled, requestId }: Pick<AnswerHandler, 'phase' | 'cancelled' | 'requestId'>,
  failure: number,
  payload: Buffer,
): BackworksError {
  // The plugin can forge this frame for any call, so the call must really be cancelled.
  if (failure === Failure.CANCELLED && cancelled === true) return callCancelled(plugin);
  const text = oneLine(payload.toString());
  const details = { plugin, phase, requestId: requestId ?? undefined };
  switch (failure) {
    case Failure.LOAD:
      return new PluginFailure('BW_PLUGIN_LOAD', `plugin ${plugin} cannot be loaded: ${text}`, details);
    case Failure.SANDBOX:
      return noSandbox(plugin, text, details);
    case Failure.THREADS: {
      const message = `plugin ${plugin} cannot be loaded: the threads for its calls cannot be started: ${text}`;
      const hint = 'lower limits.concurrency or raise limits.memory';
      return new PluginFailure('BW_PLUGIN_LOAD', message, { ...details, hint });
    }
    case Failure.ABI:
      return new PluginFailure(
        'BW_PLUGIN_ABI',
        `plugin ${plugin} is not compatible with this server: ${text}`,
        details,
      );
    case Failure.PLUGIN:
      return pluginFailed(plugin, text, details);
    default:
      return new PluginFailure('BW_PLUGIN_BAD_RESPONSE', `plugin ${plugin}: ${text}`, details);
  }
}
