import type { RejectedLibrary } from '../../plugins/discovery.js';
import type { PluginDocument } from '../../admin/plugin-document.js';
import { cellText, type Column, printTable } from './print.js';
import { type Screen, type Style } from './screen.js';

export const STATE_STYLES: Readonly<Record<PluginDocument['state'], Style>> = {
  ready: 'green',
  degraded: 'yellow',
  failed: 'red',
  loading: 'cyan',
  discovered: 'cyan',
  lazy: 'cyan',
  stopped: 'dim',
};

const HOOKS: Readonly<Record<string, string>> = {
  before_request: 'before',
  process_endpoint: 'endpoint',
  after_response: 'after',
};

const summary: Column<PluginDocument>[] = [
  { title: 'name', text: ({ name }) => name, style: () => 'bold' },
  { title: 'version', text: ({ version }) => version ?? '-' },
  { title: 'state', text: ({ state }) => state, style: ({ state }) => STATE_STYLES[state] },
];

const details: Column<PluginDocument>[] = [
  { title: 'hooks', text: ({ hooks }) => hooks.map((hook) => HOOKS[hook] ?? hook).join(',') || '-', rank: 1 },
  { title: 'isolation', text: ({ isolation }) => isolation, rank: 4 },
  { title: 'priority', text: ({ priority }) => String(priority), rank: 3 },
  { title: 'order', text: ({ order }) => String(order ?? '-'), rank: 3 },
  { title: 'critical', text: ({ critical }) => (critical ? 'yes' : 'no'), rank: 2 },
  { title: 'calls/failed', text: callsAndFailures },
];

/** This column is shown only if a row has content for it. */
const sandbox: Column<PluginDocument> = {
  title: 'sandbox',
  text: ({ sandbox: { mode, missing } }) =>
    missing.length === 0 ? mode : `${mode}, lacks: ${missing.join('; ')}`,
  style: ({ sandbox: { missing } }) => (missing.length === 0 ? null : 'yellow'),
  rank: 5,
};

const reason: Column<PluginDocument> = { title: 'reason', text: (plugin) => plugin.reason ?? '' };

/**
 * Prints plugins as a table, and rejected files below it.
 * @returns titles of the columns that did not fit on the screen
 */
export function printPlugins(
  screen: Screen,
  plugins: readonly PluginDocument[],
  rejected: readonly RejectedLibrary[],
  extent: 'summary' | 'full',
): string[] {
  const degraded = plugins.some((plugin) => plugin.sandbox.missing.length > 0);
  const columns = [
    ...summary,
    ...(extent === 'full' ? details : []),
    ...(extent === 'full' && degraded ? [sandbox] : []),
  ];
  const hiddenColumns = plugins.length === 0 ? [] : printTable(screen, plugins, { columns, note: reason });
  if (plugins.length === 0) screen.line('no plugins');
  for (const library of rejected) screen.line(rejection(screen, library));
  return hiddenColumns;
}

function callsAndFailures({ calls }: PluginDocument): string {
  const hooks = Object.values(calls);
  const sum = (key: 'calls' | 'failed'): number => hooks.reduce((total, hook) => total + hook[key], 0);
  return hooks.length === 0 ? '-' : `${sum('calls')}/${sum('failed')}`;
}

function rejection(screen: Screen, { path, code, reason: why, hint }: RejectedLibrary): string {
  const what = why.includes(path) ? why : `${path}: ${why}`;
  const todo = hint === null ? '' : screen.style('dim', ` — ${cellText(hint)}`);
  return `${screen.style('yellow', 'rejected')} ${code}: ${cellText(what)}${todo}`;
}
