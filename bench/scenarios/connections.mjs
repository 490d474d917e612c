import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { benchPlugin, Missing } from '../build.mjs';
import { backworksPeer, httpPeer, withServers } from '../http-peers.mjs';
import { generator } from '../load/generator.mjs';
import { alternate } from '../measure.mjs';

const BARE = 'Hono, bare';
const ISOLATED = 'Backworks, isolated';
const WIDTHS = [1, 10, 100, 1000, 10_000];
const SECONDS = 1;
/** All connections get their answer before the first one sends its next request. */
const MOST_SECONDS = 3;
const MOST = WIDTHS.at(-1);
/** A server has some open files in addition to its connections. */
const OPEN_FILES = MOST + 200;
const keyOf = (width) => `requests${width}`;
const pointsOf = (peer) => WIDTHS.map((width) => ({ x: width, peer, key: keyOf(width) }));
/** Tenfold steps, beginning where the server is busy all the time. */
const stepsOf = (peer) => WIDTHS.slice(1).map((width) => ({ x: Math.log10(width), peer, key: keyOf(width) }));

export const name = 'connections';
export const title = 'From one connection to ten thousand';
export const takes = { full: 95, quick: 38 };
export const rounds = { full: 5, quick: 2 };
export const metrics = [
  ...WIDTHS.map((width) => ({
    key: keyOf(width),
    label: width === 1 ? '1 connection' : `${width.toLocaleString('en-US')} connections`,
    unit: 'requests/s',
    compare: { by: 'ratio', to: BARE },
  })),
  { key: 'failed', label: 'failed', unit: 'requests a round' },
];
export const charts = [
  {
    title: 'Requests per second, by number of connections, three hooks each',
    unit: 'requests/s',
    better: 'more',
    x: { label: 'connections', scale: 'log' },
    series: [ISOLATED, BARE].map((peer) => ({ name: peer, points: pointsOf(peer) })),
  },
];
export const slopes = [
  {
    text: 'From 10 connections on, each tenfold number of them changes what Backworks serves by {} requests/s.',
    points: stepsOf(ISOLATED),
  },
  { text: 'Of bare Hono, it changes that by {} requests/s.', points: stepsOf(BARE) },
];

export async function run({ rounds: wanted, onTurn }) {
  const commands = {
    [BARE]: () => withinLimits(httpPeer('hono')),
    [ISOLATED]: () =>
      withinLimits(
        backworksPeer([{ name: 'bench', path: benchPlugin(), limits: { queue: 2 * MOST } }], 'bench'),
      ),
  };
  const open = async ({ url }) => {
    const { closedLoop } = generator();
    await closedLoop(url, 1, 64);
    const failures = { failed: 0 };
    return WIDTHS.map((width) => () => measure({ closedLoop, url, width, failures }));
  };
  return withServers(commands, open, (peers) => alternate(peers, wanted, onTurn));
}

/** @param failures total over the widths of a round */
async function measure({ closedLoop, url, width, failures }) {
  const { requests, failed } = await closedLoop(url, width === MOST ? MOST_SECONDS : SECONDS, width);
  // The server still has to finish ten thousand requests whose clients have disconnected.
  if (width === MOST) await pause(1000);
  failures.failed = width === WIDTHS[0] ? failed : failures.failed + failed;
  return { [keyOf(width)]: requests, failed: failures.failed };
}

/** Node raises its limit of open files to the hard limit, and its child processes inherit it. */
function withinLimits(command) {
  if (process.platform !== 'linux') return command;
  const [, , most] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  if (most === 'unlimited' || Number(most) >= OPEN_FILES) return command;
  throw new Missing(`needs ${OPEN_FILES} open files (ulimit -n: ${most})`);
}
