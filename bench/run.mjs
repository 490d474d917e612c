import { join } from 'node:path';
import { root } from '../scripts/run.mjs';
import { machineFacts } from './machine.mjs';
import { summarize } from './measure.mjs';
import { readOptions, USAGE } from './options.mjs';
import { updateDocument } from './report/document.mjs';
import { writeResult } from './report/results.mjs';
import { renderTable } from './report/table.mjs';
import { renderSlope } from './report/slope.mjs';
import * as body from './scenarios/body.mjs';
import * as call from './scenarios/call.mjs';
import * as chain from './scenarios/chain.mjs';
import * as connections from './scenarios/connections.mjs';
import * as http from './scenarios/http.mjs';
import * as plugins from './scenarios/plugins.mjs';
import * as rate from './scenarios/rate.mjs';
import * as resilience from './scenarios/resilience.mjs';
import * as start from './scenarios/start.mjs';

const SCENARIOS = { start, call, resilience, http, rate, chain, body, plugins, connections };
/** Printed only: the document has no place for them yet. */
const GROWTH = ['rate', 'chain', 'body', 'plugins', 'connections'];
const ROUNDS = 5;

async function main() {
  const options = readOptions(process.argv.slice(2), Object.keys(SCENARIOS));
  if (options.help) return void process.stdout.write(`${USAGE}\n`);
  // Peers are named by paths from the root.
  process.chdir(root);
  const results = [];
  for (const name of options.only) {
    const result = await runScenario(SCENARIOS[name], options);
    results.push(result);
    if (!options.json) process.stdout.write(`\n## ${result.title}\n\n${renderTable(result)}\n`);
    if (options.quick || GROWTH.includes(name)) continue;
    const written = writeResult(join(root, 'bench/results'), result);
    updateDocument(join(root, 'docs/performance.md'), written);
  }
  if (options.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
}

async function runScenario(scenario, { quick }) {
  const { name, title, metrics, chart } = scenario;
  const machine = machineFacts();
  const onProgress = (text) => process.stderr.write(`bench: ${name}: ${text}\n`);
  const measured = await scenario.run({ rounds: ROUNDS, quick, onProgress });
  const peers = summarize(measured, metrics);
  const growth =
    scenario.slope === undefined ? {} : { growth: renderSlope({ slope: scenario.slope, peers }) };
  const takenAt = new Date().toISOString().slice(0, 10);
  return { name, title, takenAt, quick, rounds: ROUNDS, machine, metrics, chart, peers, ...growth };
}

main().catch((error) => {
  process.stderr.write(`bench: ${error instanceof TypeError ? `${error.message}\n${USAGE}` : error.stack}\n`);
  process.exitCode = 1;
});
