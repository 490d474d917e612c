import type { FailedChange } from '../lifecycle/registry/registry-change.js';
import type { PluginChange, PluginPlan } from '../lifecycle/registry/reload.js';
import type { ReloadPlan } from './prepared-reload.js';
import type { SettingsPlan } from './settings.js';

/** What a reload did, or would do. */
export interface ReloadReport extends ReloadPlan {
  /** True if the reload was only planned and nothing was changed. */
  readonly dryRun: boolean;
  /** Optional plugins that failed to start. */
  readonly failed: readonly FailedChange[];
  /** Settings that are valid but probably not what the operator wants, one line each. */
  readonly warnings: readonly string[];
  readonly durationMs: number;
}

/** A ReloadReport as JSON: what the admin API answers and `backworks reload --json` prints. */
export interface ReloadDocument {
  dry_run: boolean;
  plugins: { name: string; action: PluginChange['action']; changed: string[] }[];
  reordered: boolean;
  /** `serving`: the previous version keeps serving. */
  failed: { name: string; code: string; message: string; serving: boolean }[];
  endpoints: { added: string[]; removed: string[]; changed: string[] };
  /** Keys that took effect. */
  settings: string[];
  /** Keys that take effect after a restart of the server. */
  needs_restart: string[];
  warnings: string[];
  duration_ms: number;
}

export function reloadDocument(report: ReloadReport): ReloadDocument {
  const { added, removed, changed } = report.endpoints;
  return {
    dry_run: report.dryRun,
    plugins: report.plugins.map(({ name, action, changed: keys }) => ({ name, action, changed: [...keys] })),
    reordered: report.reordered,
    failed: report.failed.map(({ name, error, previousServes }) => ({
      name,
      code: error.code,
      message: error.message,
      serving: previousServes,
    })),
    endpoints: { added: [...added], removed: [...removed], changed: [...changed] },
    settings: [...report.settings],
    needs_restart: [...report.needsRestart],
    warnings: [...report.warnings],
    duration_ms: Math.round(report.durationMs * 10) / 10,
  };
}

/** All keys of the file that take effect after a restart of the server, including those of plugins. */
export function waitingForRestart({ changes }: PluginPlan, { needsRestart }: SettingsPlan): string[] {
  const waiting = changes.filter(({ action }) => action === 'needs_restart');
  return [
    ...needsRestart,
    ...waiting.flatMap(({ name, changed }) => changed.map((key) => `plugins.${name}.${key}`)),
  ];
}

/** The report in one line, for the log. */
export function summary(report: ReloadReport): string {
  const failed = new Set(report.failed.map(({ name }) => name));
  const plugins = report.plugins
    .filter(({ name, action }) => action !== 'keep' && action !== 'needs_restart' && !failed.has(name))
    .map(({ name, action }) => `${action} ${name}`);
  const { added, removed, changed } = report.endpoints;
  const endpoints = [...added.map((name) => `+${name}`), ...removed.map((name) => `-${name}`), ...changed];
  const parts = [
    plugins.join(', '),
    report.reordered ? 'plugins reordered' : '',
    endpoints.length === 0 ? '' : `endpoints ${endpoints.join(', ')}`,
    report.settings.join(', '),
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'nothing changed' : parts.join('; ');
}
