import { EXIT } from '../../errors.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { findServer } from './server-access.js';
import { collectPlugins } from './plugin-source.js';
import { printPlugins } from '../terminal/plugin-table.js';
import { printJson } from '../terminal/print.js';
import type { PluginDocument } from '../../admin/plugin-document.js';
import type { WorkerDocument } from '../../admin/worker-document.js';
import { oneLine } from '../../printable.js';

/** `backworks plugin list`: shows the plugins and their states. */
export async function pluginList(context: CommandContext): Promise<ExitCode> {
  const access = await findServer(context);
  const { out, err } = context;
  const found = await collectPlugins(access, (how) => err.line(err.style('dim', how)));
  const list = { ...found, plugins: inOrder(found.plugins) };
  if (context.json) {
    printJson(out, list);
    return EXIT.ok;
  }
  const hiddenColumns = printPlugins(out, list.plugins, list.rejected, 'full');
  for (const worker of list.workers) if (worker.state !== 'serving') out.line(absence(worker));
  if (hiddenColumns.length > 0) {
    err.line(
      err.style('dim', `columns hidden: ${hiddenColumns.join(', ')}; widen the terminal or pass --json`),
    );
  }
  return EXIT.ok;
}

function absence({ worker, last_end: end }: WorkerDocument): string {
  return `worker ${worker} ${end === null ? '' : `${oneLine(end.how)} and `}is not serving; the server is restarting it`;
}

/** In the order in which a request passes them. Plugins that no request passes come last. */
function inOrder(plugins: readonly PluginDocument[]): PluginDocument[] {
  return [...plugins].sort((a, b) => (a.order ?? plugins.length + 1) - (b.order ?? plugins.length + 1));
}
