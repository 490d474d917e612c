import { changingPlugin } from '../build.mjs';
import { backworksPeer, expectResponse, httpPeer, withServers } from '../http-peers.mjs';
import { loadGenerator } from '../load/wrk.mjs';
import { measureLoad } from '../load/measure-load.mjs';
import { alternate } from '../measure.mjs';
import { ANSWER, CHANGED_ANSWER, DAYS, KEY } from '../plugin/payload.mjs';

const BARE = 'Hono, bare';
const CONNECTIONS = 64;
const SECONDS = 1;
/** Headers that every peer receives, so that all of them read the same requests. */
const REQUEST_HEADERS = { 'x-api-key': KEY };
const SERVED_BY = { 'x-served-by': 'bench' };

/** Typical uses of plugins: the plugin's hooks, its configuration, and the expected result. */
const CASES = {
  'three hooks, each changes something': {
    hooks: ['before', 'endpoint', 'after'],
    config: { before: 'user', after: 'header' },
    headers: SERVED_BY,
  },
  'endpoint with an answer of 2 KiB': { hooks: ['endpoint'], config: { days: true }, answer: DAYS },
  'after_response adds a header': { hooks: ['after'], config: { after: 'header' }, headers: SERVED_BY },
  'endpoint, and after_response adds a header': {
    hooks: ['endpoint', 'after'],
    config: { after: 'header' },
    headers: SERVED_BY,
  },
  'before_request checks an API key, which passes': { hooks: ['before'], config: { before: 'key' } },
  "after_response changes a member of the response's body": {
    hooks: ['after'],
    config: { after: 'body' },
    answer: CHANGED_ANSWER,
  },
};
const NAMES = Object.keys(CASES);
const backworksOf = (name) => `Backworks, isolated: ${name}`;
const middlewareOf = (name) => `Hono middleware: ${name}`;

export const name = 'changes';
export const title = 'Hooks that change something, one isolated plugin';
export const takes = { full: 86, quick: 60 };
/** Thirteen servers take turns: more rounds would take minutes. */
export const rounds = { full: 5, quick: 3 };
export const metrics = [
  { key: 'requests', label: `${CONNECTIONS} connections`, unit: 'requests/s' },
  { key: 'toBare', label: '÷ bare Hono, which changes nothing', unit: 'ratio' },
  { key: 'toMiddleware', label: '÷ Hono middleware that does the same', unit: 'ratio' },
  { key: 'cpu', label: 'server CPU per request', unit: 'µs' },
  { key: 'aboveBare', label: '− bare Hono', unit: 'µs' },
  { key: 'middlewareCpu', label: 'of Hono middleware', unit: 'µs' },
  { key: 'p99', label: 'p99', unit: 'µs' },
  { key: 'middlewareP99', label: 'p99 of Hono middleware', unit: 'µs' },
  { key: 'failed', label: 'failed', unit: 'requests a round' },
];
export const charts = [
  {
    key: 'toBare',
    title: 'Requests per second ÷ bare Hono, which changes nothing',
    unit: 'ratio',
    better: 'more',
  },
];

/** Name → command line: bare Hono, and each case as a plugin and as middleware. */
function commands() {
  const all = { [BARE]: () => httpPeer('hono') };
  for (const name of NAMES) {
    const { hooks, config } = CASES[name];
    const plugin = () => ({ name: 'changing', path: changingPlugin(hooks), config });
    const answering = hooks.includes('endpoint') ? 'changing' : '';
    all[backworksOf(name)] = () => backworksPeer([plugin()], answering);
    all[middlewareOf(name)] = () => httpPeer('hono-middleware', JSON.stringify(config));
  }
  return all;
}

function check(url, peer) {
  const name = NAMES.find((known) => peer.endsWith(`: ${known}`));
  const { answer = ANSWER, headers } = CASES[name] ?? {};
  return expectResponse(url, { answer, headers, requestHeaders: REQUEST_HEADERS });
}

export async function run({ rounds, onTurn }) {
  const open = async (server) => {
    const load = loadGenerator(REQUEST_HEADERS);
    await load(server.url, CONNECTIONS, SECONDS);
    return async () => {
      const { requests, failed, p99, cpu } = await measureLoad(load, server, CONNECTIONS, SECONDS);
      return { requests, failed, p99, cpu };
    };
  };
  const peers = await withServers(commands(), open, (list) => alternate(list, rounds, onTurn), check);
  return NAMES.map((name) => besideOthers(name, peers));
}

/** Compares a case with bare Hono and with the middleware, round by round. */
function besideOthers(name, peers) {
  const find = (wanted) => peers.find((peer) => peer.name === wanted);
  const [own, bare, middleware] = [backworksOf(name), BARE, middlewareOf(name)].map(find);
  const missing = [own, bare, middleware].find((peer) => peer.missing !== undefined)?.missing;
  if (missing !== undefined) return { name, missing };
  const rounds = own.rounds.map((round, index) => {
    const plain = bare.rounds[index];
    const other = middleware.rounds[index];
    return {
      ...round,
      toBare: round.requests / plain.requests,
      toMiddleware: round.requests / other.requests,
      aboveBare: round.cpu - plain.cpu,
      middlewareCpu: other.cpu,
      middlewareP99: other.p99,
      failed: round.failed + other.failed,
    };
  });
  return { name, rounds };
}
