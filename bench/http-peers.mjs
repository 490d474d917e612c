import { ANSWER, PATH } from './plugin/payload.mjs';
import { withPeers } from './peers.mjs';

/** The command line of a server in bench/peers/http/. The server prints `{"url"}` when it listens. */
export function httpPeer(script, ...args) {
  return [process.execPath, '--', `bench/peers/http/${script}.mjs`, ...args];
}

/**
 * The command line of a Backworks server.
 * @param plugins list of `{ name, path, isolation, instances, config }`
 * @param answering name of the plugin that answers. Without it, the answer is in the configuration.
 */
export function backworksPeer(plugins, answering = '') {
  return httpPeer('backworks', JSON.stringify(plugins), answering);
}

/**
 * Starts servers and keeps all of them running until `use` is done.
 * @param commands name → command line
 * @param open converts a server's `{ url, pids }` into the function that measures it. `pids` are the server's
 *   own processes, without runners.
 * @param check is called with a server's URL and name before the server is measured. It throws on a wrong
 *   answer.
 * @returns the result of `use` for the list of peers. A peer that cannot run here is `{ name, missing }`.
 */
export function withServers(commands, open, use, check = expectAnswer) {
  const openServer = async (_process, peer, { url, pids }) => {
    await check(url + PATH, peer);
    return open({ url: url + PATH, pids }, peer);
  };
  return withPeers(commands, openServer, use);
}

/**
 * Checks the answer of a server: a server with a wrong answer would be fast for the wrong reason.
 * @param url the URL to request. `_peer` is the name of the server.
 * @throws Error with the answer
 */
async function expectAnswer(url) {
  await expectResponse(url, { answer: ANSWER });
}

/**
 * @param wanted `{ answer, headers, requestHeaders }`: the body, the headers it must have, the headers to send
 * @throws Error with the answer when the answer is different
 */
export async function expectResponse(url, { answer, headers = {}, requestHeaders = {} }) {
  const response = await fetch(url, { headers: requestHeaders });
  const body = await response.text();
  const fits = Object.entries(headers).every(([name, value]) => response.headers.get(name) === value);
  if (response.status === 200 && body === answer && fits) return;
  throw new Error(`${url}: ${response.status} ${JSON.stringify([...response.headers])} ${body}`);
}
