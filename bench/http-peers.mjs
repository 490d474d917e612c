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
 * @param check is called with a server's URL and name before it is measured, and throws when it answers wrongly
 * @returns what `use` gives for the list of peers; one that cannot run here is `{ name, missing }`
 */
export function withServers(commands, open, use, check = expectAnswer) {
  const openServer = async (_process, peer, { url, pids }) => {
    await check(url + PATH, peer);
    return open({ url: url + PATH, pids }, peer);
  };
  return withPeers(commands, openServer, use);
}

/**
 * A server that answers something else would be fast for the wrong reason.
 * @param url asked for; `_peer` is the name of who answers
 * @throws Error with the answer
 */
async function expectAnswer(url) {
  await expectResponse(url, { answer: ANSWER });
}

/**
 * @param wanted `{ answer, headers, requestHeaders }`: the body, headers that must be there, those to send
 * @throws Error with the answer when it is another one
 */
export async function expectResponse(url, { answer, headers = {}, requestHeaders = {} }) {
  const response = await fetch(url, { headers: requestHeaders });
  const body = await response.text();
  const fits = Object.entries(headers).every(([name, value]) => response.headers.get(name) === value);
  if (response.status === 200 && body === answer && fits) return;
  throw new Error(`${url}: ${response.status} ${JSON.stringify([...response.headers])} ${body}`);
}
