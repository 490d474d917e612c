import type { PluginFailure } from '../../errors.js';
import type { Log } from '../../log.js';
import type { LoadedPlugin } from '../../plugins/loaded-plugin.js';
import type { PluginEvents } from '../../plugins/loader.js';
import type { PluginCalls } from '../dependencies/plugin-calls.js';
import type { PluginEntry } from '../../plugins/plugin-entry.js';
import { failsOpenSentence, reportFailure } from './plugin-reports.js';
import { refusalSentence } from '../entry/refusals.js';
import type { RegistryEntry } from '../entry/registry-entry.js';

export interface PluginEventsOptions {
  readonly log: Log;
  readonly calls: PluginCalls;
  readonly plan: PluginEntry;
  /** The plugin that the events are about; null until it is loaded. */
  readonly plugin: () => LoadedPlugin | null;
  readonly identified: (digest: string) => void;
  /**
   * Called when a process failed.
   * @param fatalReason why the serving version must stop serving, or null
   * @returns true if the former version serves again
   */
  readonly judge: (fatalReason: string | null) => boolean;
  /** Called when the plugin failed too often. */
  readonly quarantine: (failure: PluginFailure) => void;
}

/** What the state of a circuit means for the next calls. */
const CIRCUIT = {
  open: 'the plugin is not called until circuit_breaker.reset_after has passed',
  'half-open': 'the next call decides whether it closes',
  closed: 'the plugin is called again',
} as const;

/** Handles the events of one plugin. They change the entry only while this plugin serves. */
export function pluginEvents(
  entry: RegistryEntry,
  { log, calls, plan, plugin: current, identified, judge, quarantine }: PluginEventsOptions,
): PluginEvents {
  const { name } = plan;
  const serves = (): boolean => {
    const plugin = current();
    return entry.plugin === plugin || plugin?.isSame(entry.plugin) === true;
  };
  return {
    identified,
    failed: (failure, located) => {
      current()?.processFailed();
      const tooOften = serves() && entry.addFailure(failure);
      reportFailure(log, entry, failure, located);
      const isBack = judge(tooOften ? failure.message : null);
      if (serves()) entry.setCondition('process', failure.message);
      if (tooOften && !isBack) quarantine(failure);
    },
    recovered: () => {
      if (serves()) entry.setCondition('process', null);
      entry.report(() => log.info({ plugin: name }, `plugin ${name} serves again`));
    },
    badAnswer: (failure) => {
      if (serves()) entry.addBadAnswer(failure);
    },
    refused: (refusal) => {
      if (!entry.addRefusal(refusal)) return;
      const { permission, function: called, object } = refusal;
      const sentence = refusalSentence(name, refusal, plan.config.permissions);
      log.warn({ plugin: name, permission, function: called, object }, sentence);
    },
    denied: (status) => {
      if (entry.onFailure === 'skip') log.warn({ plugin: name, status }, failsOpenSentence(name, status));
    },
    circuit: (state) => {
      if (serves()) entry.setCircuit(state);
      log.warn({ plugin: name, circuit: state }, `circuit of plugin ${name} is ${state}; ${CIRCUIT[state]}`);
    },
    failing: (phase, error) => {
      const reason = error === null ? null : `every call of ${phase} fails: ${error.message}`;
      if (serves()) entry.setCondition(`calls of ${phase}`, reason);
      if (reason === null)
        log.info({ plugin: name, hook: phase }, `${phase} of plugin ${name} answers again`);
      else
        log.warn({ plugin: name, hook: phase, code: error?.code }, `plugin ${name} is degraded: ${reason}`);
    },
    operate: (request, caller) => calls.operate(name, request, caller),
  };
}
