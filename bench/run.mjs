import { join } from 'node:path';
import { root } from '../scripts/run.mjs';
import { Interrupted, interruption, listenForInterruption } from './interruption.mjs';
import { loadNow, machineFacts } from './machine.mjs';
import { summarize } from './measure.mjs';
import { readOptions, usage, UsageError } from './options.mjs';
import { duration, Progress } from './progress.mjs';
import { updateDocument, updateTargets } from './report/document.mjs';
import { drawCharts, readResults, writeResult } from './report/results.mjs';
import { renderTable } from './report/table.mjs';
import { slopeOf } from './slope.mjs';
import * as body from './scenarios/body.mjs';
import * as call from './scenarios/call.mjs';
import * as changes from './scenarios/changes.mjs';
import * as chain from './scenarios/chain.mjs';
import * as connections from './scenarios/connections.mjs';
import * as http from './scenarios/http.mjs';
import * as plugins from './scenarios/plugins.mjs';
import * as rate from './scenarios/rate.mjs';
import * as recovery from './scenarios/recovery.mjs';
import * as resilience from './scenarios/resilience.mjs';
import * as sdk from './scenarios/sdk.mjs';
import * as start from './scenarios/start.mjs';
import * as workers from './scenarios/workers.mjs';

const SCENARIOS = {
  changes,
  call,
  sdk,
  resilience,
  http,
  rate,
  workers,
  start,
  recovery,
  chain,
  body,
  plugins,
  connections,
};
const NAMES = Object.keys(SCENARIOS);
/** Defaults of a scenario: many short rounds, because a noisy neighbour stays for seconds. */
const ROUNDS = { full: 7, quick: 3 };
const RESULTS = join(root, 'bench/results');
const DOCUMENT = join(root, 'docs/performance.md');

async function main() {
  const options = readOptions(process.argv.slice(2), NAMES);
  if (options.help) return void process.stdout.write(`${usage(NAMES)}\n`);
  if (options.redraw) return redraw();
  // Peers are named by paths from the root.
  process.chdir(root);
  listenForInterruption();
  const began = performance.now();
  const results = await measureAll(options, machineFacts());
  if (options.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  process.stderr.write(`bench: ${duration((performance.now() - began) / 1000)} for all\n`);
}

/** A failure in one scenario is reported at once and does not affect the others. */
async function measureAll(options, machine) {
  const mode = options.quick ? 'quick' : 'full';
  const takes = options.only.map((name) => ({ name, takes: SCENARIOS[name].takes[mode] }));
  const progress = new Progress(takes);
  const results = [];
  for (const name of options.only) {
    const onTurn = progress.of(name);
    const result = await twice(name, () => measure(SCENARIOS[name], { options, mode, machine, onTurn }));
    if (result === null) continue;
    results.push(result);
    if (!options.json) process.stdout.write(`\n## ${result.title}\n\n${renderTable(result)}\n`);
    if (!options.quick) write(result);
  }
  return results;
}

/** Runs a scenario again if it fails, because the machine may have been busy. @returns null after two failures */
async function twice(name, attempt) {
  for (let tries = 1; tries <= 2; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (interruption.aborted) throw interruption.reason;
      process.stderr.write(`bench: ${name} failed: ${error.stack}\n`);
    }
  }
  process.exitCode = 1;
  return null;
}

async function measure(scenario, { options: { quick }, mode, machine, onTurn }) {
  const { name, title, metrics, charts, slopes = [] } = scenario;
  const rounds = (scenario.rounds ?? ROUNDS)[mode];
  const loadBefore = loadNow();
  const peers = summarize(await scenario.run({ rounds, quick, onTurn }), metrics);
  return {
    name,
    title,
    takenAt: new Date().toISOString().slice(0, 10),
    quick,
    rounds,
    machine,
    loadBefore,
    metrics,
    charts,
    slopes: slopes.map((slope) => ({ ...slope, figure: slopeOf(peers, slope.points) })),
    peers,
  };
}

function write(result) {
  updateDocument(DOCUMENT, writeResult(RESULTS, result));
  updateTargets(DOCUMENT, readResults(RESULTS));
}

function redraw() {
  const results = readResults(RESULTS);
  for (const result of results) {
    drawCharts(RESULTS, result);
    updateDocument(DOCUMENT, result);
  }
  updateTargets(DOCUMENT, results);
}

main().catch((error) => {
  const text = error instanceof UsageError ? `${error.message}\n${usage(NAMES)}` : error.stack;
  process.stderr.write(`bench: ${error instanceof Interrupted ? 'interrupted' : text}\n`);
  process.exitCode = error instanceof Interrupted ? 130 : 1;
});
