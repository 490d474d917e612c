import type { NativePluginEvents } from './plugin.js';

/**
 * Wraps the listeners of a plugin's events so that an exception in a listener becomes a Node.js warning. Otherwise a
 * failing log or counter could leave a call without an answer, or the plugin without a process.
 */
export function guardedEvents(plugin: string, events: NativePluginEvents): NativePluginEvents {
  const guarded =
    <A extends unknown[]>(listener: (...args: A) => void) =>
    (...args: A): void => {
      try {
        listener(...args);
      } catch (defect) {
        const why = defect instanceof Error ? defect.message : String(defect);
        process.emitWarning(
          `a listener failed, so an event of plugin ${plugin} is not reported: ${why}`,
          'BackworksWarning',
        );
      }
    };
  return {
    log: guarded((line) => events.log(line)),
    metric: guarded((name, delta) => events.metric(name, delta)),
    refused: guarded((refusal) => events.refused(refusal)),
    failed: guarded((failure) => events.failed(failure)),
    recovered: guarded(() => events.recovered()),
    stopped: guarded((result) => events.stopped?.(result)),
  };
}
