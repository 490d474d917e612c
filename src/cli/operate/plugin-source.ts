import type { BackworksConfig } from '../../config/types.js';
import { BackworksError } from '../../errors.js';
import type { ServerAccess } from './server-access.js';
import { silentLog } from '../../log.js';
import type { RejectedLibrary } from '../../plugins/discovery.js';
import { type PluginDocument, pluginDocument } from '../../admin/plugin-document.js';
import type { WorkerDocument } from '../../admin/worker-document.js';
import { askServer } from './admin-client.js';

export interface PluginList {
  /** Live states of a running server, or the declarations of libraries on disk. */
  readonly source: 'server' | 'disk';
  readonly plugins: readonly PluginDocument[];
  readonly rejected: readonly RejectedLibrary[];
  /** The workers of the server; empty for a server with one process. */
  readonly workers: readonly WorkerDocument[];
}

/**
 * The plugins of a configuration, from the running server if there is one, else from disk.
 * @param say called with the source that was used and the reason
 */
export async function collectPlugins(access: ServerAccess, say: (how: string) => void): Promise<PluginList> {
  const answer = await askServer(access.target);
  if (answer.kind === 'plugins') {
    const { plugins, rejected, workers } = answer.document;
    say(`from the server, running since ${answer.document.started_at}`);
    return { source: 'server', plugins, rejected, workers };
  }
  const config = onDisk(access, answer.why);
  say(`from disk, nothing was started: ${answer.why}`);
  // Loaded only here: the code of a server costs more time than asking a running one.
  const { createBackworks } = await import('../../backworks.js');
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

/**
 * The configuration to read plugins from when no server answers. @throws BackworksError with the reason if
 * there is none
 */
function onDisk({ target, requireConfig }: ServerAccess, why: string): BackworksConfig {
  if (target.url === undefined) return requireConfig();
  throw new BackworksError('BW_SERVER_UNREACHABLE', why, {
    hint: 'start the server, or correct --url and --token',
  });
}
