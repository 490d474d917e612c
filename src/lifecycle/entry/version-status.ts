import type { LoadedPlugin } from '../../plugins/loaded-plugin.js';
import type { TrialStatus, VersionRole, VersionStatus } from './status.js';
import type { Trial } from './trial.js';

export function trialStatus({ stage, until, percent }: Trial): TrialStatus {
  return { stage, until, percent };
}

/** Every version of a plugin that has processes; the serving version comes first. */
export function versionsOf(entry: {
  readonly plugin: LoadedPlugin | null;
  readonly trial: Trial | null;
  readonly leaving: Iterable<LoadedPlugin>;
}): VersionStatus[] {
  const { plugin, trial, leaving } = entry;
  return [
    ...(plugin === null ? [] : [versionStatus(plugin, 'serving')]),
    ...(trial === null ? [] : [versionStatus(trial.other, trial.stage === 'canary' ? 'canary' : 'standby')]),
    ...[...leaving].map((former) => versionStatus(former, 'leaving')),
  ];
}

function versionStatus(plugin: LoadedPlugin, role: VersionRole): VersionStatus {
  return { role, ...plugin.versionName, ...plugin.callStats, processes: plugin.processes() };
}
