import { readPluginHistory } from '../../backworks.js';
import { EXIT } from '../../errors.js';
import type { HistoryDocument, SwapRecordDocument } from '../../admin/version-document.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { readFromServer, requireReader } from './admin-client.js';
import { findServer, type ServerAccess } from './server-access.js';
import { noPlugin } from '../command/no-plugin.js';
import { type Column, printJson, printTable } from '../terminal/print.js';
import type { Style } from '../terminal/screen.js';

const STYLES: Readonly<Record<SwapRecordDocument['outcome'], Style>> = {
  swapped: 'green',
  rejected: 'yellow',
  rolled_back: 'red',
};

const columns: Column<SwapRecordDocument>[] = [
  { title: 'time', text: ({ time }) => time },
  { title: 'by', text: ({ by }) => by, rank: 1 },
  {
    title: 'outcome',
    text: ({ outcome }) => outcome.replace('_', ' '),
    style: ({ outcome }) => STYLES[outcome],
  },
  { title: 'from', text: ({ from }) => named(from) },
  { title: 'to', text: ({ to }) => named(to) },
  { title: 'ms', text: ({ steps }) => total(steps), rank: 2 },
];

/**
 * `backworks plugin history NAME`: shows the swaps of a plugin, read from the cache directory or from --url.
 */
export async function pluginHistory(context: CommandContext, name: string): Promise<ExitCode> {
  const history = await historyOf(await findServer(context), name);
  const { out, err } = context;
  if (context.json) {
    printJson(out, history);
    return EXIT.ok;
  }
  if (history.history.length === 0) err.line(err.style('dim', `no swap of ${name} is on record`));
  else {
    const note: Column<SwapRecordDocument> = { title: 'reason', text: ({ reason }) => reason ?? '' };
    printTable(out, history.history, { columns, note });
  }
  const kept = history.versions.map(named).join(', ');
  if (kept !== '') err.line(err.style('dim', `versions kept, newest first: ${kept}`));
  return EXIT.ok;
}

function named({ version, digest }: { version: string | null; digest: string | null }): string {
  return `${version ?? '-'} (${digest?.slice(0, 12) ?? '-'})`;
}

function total(steps: SwapRecordDocument['steps']): string {
  return Object.values(steps)
    .reduce((sum, ms) => sum + ms, 0)
    .toFixed(0);
}

async function historyOf(
  { target, config, requireConfig }: ServerAccess,
  name: string,
): Promise<HistoryDocument> {
  if (target.url !== undefined) {
    const { plugins } = await requireReader(target);
    if (!plugins.some((plugin) => plugin.name === name)) throw noPlugin(name, plugins);
    return readFromServer<HistoryDocument>(target, `/plugins/${encodeURIComponent(name)}/history`);
  }
  const history = await readPluginHistory(target, name);
  // A discovered plugin has no entry in the file. It has recorded versions once it has served.
  if (history.versions.length > 0) return history;
  const { plugins } = config ?? requireConfig();
  if (!plugins.some((plugin) => plugin.name === name)) throw noPlugin(name, plugins);
  return history;
}
