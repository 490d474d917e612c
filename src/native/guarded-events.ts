import type { NativePluginEvents } from './plugin.js';

/**
 * Events of a plugin whose listeners cannot throw into the work of its processes: a log or a counter that fails must
 * leave no call without an answer, and no plugin without a process. What they throw becomes a warning of Node.js.
 */
export function guardedEvents(plugin: string, events: NativePluginEvents): NativePluginEvents {
  const guarded =
    <A extends unknown[]>(tell: (...told: A) => void) =>
    (...told: A): void => {
      try {
        tell(...told);
      } catch (defect) {
        const why = defect instanceof Error ? defect.message : String(defect);
        process.emitWarning(`an event of plugin ${plugin} was lost: ${why}`, 'BackworksWarning');
      }
    };
  return {
    log: guarded((line) => events.log(line)),
    metric: guarded((name, delta) => events.metric(name, delta)),
    refused: guarded((refusal) => events.refused(refusal)),
    failed: guarded((failure) => events.failed(failure)),
    recovered: guarded(() => events.recovered()),
  };
}
