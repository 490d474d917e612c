import { createBackworks } from '../backworks.js';
import type { BackworksConfig } from '../config/types.js';
import { EXIT } from '../errors.js';
import { silentLog } from '../log.js';
import type { RejectedLibrary } from '../plugins/status.js';
import { type PluginDocument, pluginDocument } from '../server/plugin-document.js';
import { askServer } from './admin-client.js';
import type { CommandContext, ExitCode } from './command.js';
import { readConfig } from './config-file.js';
import { printPlugins } from './plugin-table.js';
import { printJson } from './print.js';

interface PluginList {
  /** Live states of a running server, or what the files on disk say of themselves. */
  readonly source: 'server' | 'disk';
  readonly plugins: readonly PluginDocument[];
  readonly rejected: readonly RejectedLibrary[];
}

/** `backworks plugin list` */
export async function pluginList(context: CommandContext): Promise<ExitCode> {
  const { config } = await readConfig(context);
  const { out, err } = context;
  const list = await collect(config, (how) => err.line(err.style('dim', how)));
  if (context.json) {
    printJson(out, list);
    return EXIT.ok;
  }
  const leftOut = printPlugins(out, list.plugins, list.rejected, 'full');
  if (leftOut.length > 0) {
    err.line(err.style('dim', `no room for ${leftOut.join(', ')}; a wider terminal or --json shows them`));
  }
  return EXIT.ok;
}

async function collect(config: BackworksConfig, say: (how: string) => void): Promise<PluginList> {
  const answer = await askServer(config);
  if (answer.kind === 'plugins') {
    const { plugins, rejected } = answer.document;
    say(`from the server, running since ${answer.document.started_at}`);
    return { source: 'server', plugins, rejected };
  }
  say(`from disk, without starting anything: ${answer.why}`);
  const backworks = createBackworks(config, { log: silentLog });
  try {
    await backworks.inspect();
    return {
      source: 'disk',
      plugins: backworks.plugins().map(pluginDocument),
      rejected: backworks.rejected(),
    };
  } finally {
    await backworks.stop();
  }
}
