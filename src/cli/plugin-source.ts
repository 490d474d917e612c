import { createBackworks } from '../backworks.js';
import type { BackworksConfig } from '../config/types.js';
import { BackworksError } from '../errors.js';
import type { ServerAccess } from './server-access.js';
import { silentLog } from '../log.js';
import type { RejectedLibrary } from '../plugins/discovery.js';
import { type PluginDocument, pluginDocument } from '../admin/plugin-document.js';
import type { WorkerDocument } from '../admin/worker-document.js';
import { askServer } from './admin-client.js';

export interface PluginList {
  /** Live states of a running server, or what the files on disk say of themselves. */
  readonly source: 'server' | 'disk';
  readonly plugins: readonly PluginDocument[];
  readonly rejected: readonly RejectedLibrary[];
  /** Of the server; empty where one process answers. */
  readonly workers: readonly WorkerDocument[];
}

/**
 * The plugins of a configuration, from the server that runs it or else from disk.
 * @param say is told which of the two, and why
 */
export async function collectPlugins(access: ServerAccess, say: (how: string) => void): Promise<PluginList> {
  const answer = await askServer(access.target);
  if (answer.kind === 'plugins') {
    const { plugins, rejected, workers } = answer.document;
    say(`from the server, running since ${answer.document.started_at}`);
    return { source: 'server', plugins, rejected, workers };
  }
  const config = onDisk(access, answer.why);
  say(`from disk, without starting anything: ${answer.why}`);
  const backworks = createBackworks(config, { log: silentLog });
  try {
    await backworks.inspect();
    return {
      source: 'disk',
      plugins: backworks.plugins().map(pluginDocument),
      rejected: backworks.rejected(),
      workers: [],
    };
  } finally {
    await backworks.stop();
  }
}

/** The configuration to look at without a server. @throws BackworksError why there is none */
function onDisk({ target, needConfig }: ServerAccess, why: string): BackworksConfig {
  if (target.url === undefined) return needConfig();
  throw new BackworksError('BW_SERVER_UNREACHABLE', why, { hint: 'start it, or correct --url and --token' });
}
