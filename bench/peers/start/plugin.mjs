import { IsolatedPlugin } from '../../../dist/native/pool/isolated.js';
import { nativeOptions, unguarded } from '../../native-options.mjs';
import { ENDPOINT, METHOD, REQUEST } from '../../plugin/payload.mjs';

/**
 * Starts a plugin and calls it once. A plugin without hooks counts as started when initialize() has answered.
 * @returns `{ pid, end }`
 */
export async function startPlugin(library, sandbox) {
  const plugin = await IsolatedPlugin.open(nativeOptions('bench', library, sandbox));
  if (plugin.description.functions.has('process_endpoint')) {
    await plugin.call('process_endpoint', [ENDPOINT, METHOD, REQUEST], unguarded());
  }
  const { pid } = plugin.processes().find(({ state }) => state === 'ready');
  return { pid, end: () => plugin.close() };
}
