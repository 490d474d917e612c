import { ANSWER, PATH } from './plugin/payload.mjs';
import { withPeers } from './peers.mjs';

/** The command line of a server of bench/peers/http/, which says `{"url"}` when it listens. */
export function httpPeer(script, ...args) {
  return [process.execPath, '--', `bench/peers/http/${script}.mjs`, ...args];
}

/**
 * The command line of a Backworks.
 * @param plugins list of `{ name, path, isolation, instances, config }`
 * @param answering name of the plugin that answers; without one the configuration itself does
 */
export function backworksPeer(plugins, answering = '') {
  return httpPeer('backworks', JSON.stringify(plugins), answering);
}

/**
 * Starts servers, all of which live until `use` is done.
 * @param commands name → command line
 * @param open makes of a server's `{ url, pids }` what measures it; `pids` are those of the server's own
 *   processes, without runners
 * @returns what `use` gives for the list of peers; one that cannot run here is `{ name, missing }`
 */
export function withServers(commands, open, use) {
  const openServer = async (_process, peer, { url, pids }) => {
    await expectAnswer(url + PATH);
    return open({ url: url + PATH, pids }, peer);
  };
  return withPeers(commands, openServer, use);
}

/** A server that answers something else would be fast for the wrong reason. */
async function expectAnswer(url) {
  const response = await fetch(url);
  const body = await response.text();
  if (response.status !== 200 || body !== ANSWER) throw new Error(`${url}: ${response.status} ${body}`);
}
