import { EXIT } from '../../errors.js';
import type { ReloadDocument } from '../../reload/report.js';
import { actOnServer, requireServer } from './admin-client.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { findServer } from './server-access.js';
import { oneLine } from '../../printable.js';
import { printJson, printTable } from '../terminal/print.js';
import type { Screen } from '../terminal/screen.js';

/**
 * `backworks reload`: has the running server load its changed configuration. If the file can be read here, it
 * is checked first, so mistakes are reported as `config check` reports them.
 */
export async function reload(
  context: CommandContext,
  { dryRun }: { readonly dryRun: boolean },
): Promise<ExitCode> {
  const { target } = await findServer(context);
  await requireServer(target);
  const report = await actOnServer<ReloadDocument>(target, `/reload${dryRun ? '?dry_run=true' : ''}`);
  if (context.json) printJson(context.out, report);
  else printReport(context.out, context.err, report);
  return report.failed.length === 0 ? EXIT.ok : EXIT.plugin;
}

interface Row {
  readonly what: string;
  readonly action: string;
  readonly changed: string;
  readonly note: string;
}

function printReport(out: Screen, err: Screen, report: ReloadDocument): void {
  for (const warning of report.warnings) err.line(err.style('yellow', oneLine(warning)));
  const rows = rowsOf(report);
  if (rows.length > 0) {
    printTable(out, rows, {
      columns: [
        { title: 'what', text: ({ what }) => what },
        { title: 'action', text: ({ action }) => action, style: ({ note }) => (note === '' ? null : 'red') },
        { title: 'changed', text: ({ changed }) => changed },
      ],
      note: { title: 'note', text: ({ note }) => note },
    });
  }
  const kept = report.plugins.filter(({ action }) => action === 'keep').length;
  const unchanged = `${kept} ${kept === 1 ? 'plugin' : 'plugins'} unchanged`;
  const done = report.dry_run ? 'dry run, nothing was changed' : `reloaded in ${report.duration_ms} ms`;
  out.line(rows.length === 0 ? `${done}; nothing changed` : `${done}; ${unchanged}`);
}

function rowsOf(report: ReloadDocument): Row[] {
  const { plugins, endpoints, settings, needs_restart: waiting } = report;
  const failed = new Map(report.failed.map((failure) => [failure.name, failure]));
  const row = (what: string, action: string, changed = '', note = ''): Row => ({
    what,
    action,
    changed,
    note,
  });
  return [
    ...plugins
      .filter(({ action }) => action !== 'keep')
      .map(({ name, action, changed }) => {
        const failure = failed.get(name);
        const serving = failure?.serving === true ? 'the old version keeps serving: ' : '';
        const note = failure === undefined ? '' : `${serving}${failure.message}`;
        const shown = failure === undefined ? action.replace('_', ' ') : 'failed';
        return row(`plugin ${name}`, shown, changed.join(', '), note);
      }),
    ...(report.reordered ? [row('plugins', 'reorder')] : []),
    ...endpoints.added.map((name) => row(`endpoint ${name}`, 'add')),
    ...endpoints.changed.map((name) => row(`endpoint ${name}`, 'change')),
    ...endpoints.removed.map((name) => row(`endpoint ${name}`, 'remove')),
    ...settings.map((key) => row(key, 'change')),
    ...waiting.filter((key) => !isOfPlugin(key, report)).map((key) => row(key, 'needs restart')),
  ];
}

/** These keys appear in the row of their plugin. */
function isOfPlugin(key: string, { plugins }: ReloadDocument): boolean {
  return plugins.some(({ name, action }) => action === 'needs_restart' && key.startsWith(`plugins.${name}.`));
}
