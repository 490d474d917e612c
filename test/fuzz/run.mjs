/**
 * `npm run test:fuzz -- --seconds N`: fuzzes for about N seconds in all (default 60). Half of the time libFuzzer
 * fuzzes the runner and the C SDK; a quarter, hostile runners fuzz the server; a quarter, changed texts are loaded as
 * configurations. Inputs that reach new code stay in
 * build/fuzz/corpus for the next run. Inputs that cause a failure are written to build/fuzz/findings.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root, SetupError } from '../../scripts/run.mjs';
import { buildFuzzers } from './build.mjs';
import { disagreement } from '../../dist-test/runner/json/json-oracle.js';
import {
  conversations,
  descriptions,
  documents,
  jsonTexts,
  patches,
  settings,
  writeCorpus,
} from './corpus.mjs';

const INPUT_MAX = 8 * 1024;
const TARGETS = [
  { name: 'conversation', inputs: conversations, dictionary: 'frames.dict' },
  { name: 'settings', inputs: settings, dictionary: 'settings.dict' },
  { name: 'describe', inputs: descriptions, dictionary: null },
  { name: 'json', inputs: jsonTexts, dictionary: 'json.dict', check: agreesWithParse },
  { name: 'patch', inputs: patches, dictionary: 'json.dict' },
  { name: 'document', inputs: documents, dictionary: 'json.dict' },
];

/** Runs a program. @returns its output and its exit code */
function start(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
    child.on('error', (error) => resolve({ code: 1, output: error.message }));
    child.on('close', (code, signal) => resolve({ code: code ?? signal, output }));
  });
}

/** True when the native check and JSON.parse() agree on an input. */
function agreesWithParse(bytes) {
  const found = disagreement(bytes, 8);
  if (found !== null) console.error(found);
  return found === null;
}

async function fuzzRunner({ name, inputs, dictionary, check = () => true }, program, seconds) {
  const [corpus, seeds, findings] = ['corpus', 'seeds', 'findings'].map((folder) => {
    const path = join(root, 'build/fuzz', folder, name);
    mkdirSync(path, { recursive: true });
    return path;
  });
  writeCorpus(inputs(), seeds);
  const { code, output } = await start(program, [
    `-max_total_time=${seconds}`,
    `-max_len=${INPUT_MAX}`,
    '-print_final_stats=1',
    `-artifact_prefix=${findings}/`,
    ...(dictionary === null ? [] : [`-dict=${join(root, 'test/fuzz/runner', dictionary)}`]),
    corpus,
    seeds,
  ]);
  const stat = (key) => /(\d+)$/.exec(new RegExp(`stat::${key}: +\\d+`).exec(output)?.[0] ?? '0')[0];
  const covered = [...output.matchAll(/ cov: (\d+) /g)].at(-1)?.[1] ?? '0';
  console.log(
    `${name}: ${stat('number_of_executed_units')} runs, ${stat('average_exec_per_sec')} a second, ` +
      `${covered} branches, ${readdirSync(corpus).length} inputs kept`,
  );
  const kept = readdirSync(corpus).map((file) => readFileSync(join(corpus, file)));
  if (code === 0) return kept.every((bytes) => check(bytes));
  writeFileSync(join(findings, 'output.txt'), output);
  console.error(`${output}\n${name}: failed, see ${findings}`);
  return false;
}

/** Runs compiled tests that read from the environment how much to try. */
async function fuzzTests(name, tests, variables) {
  const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const command = [...jest, 'node_modules/jest/bin/jest.js', '--testTimeout', '600000', tests];
  const { code, output } = await start(process.execPath, command, { env: { ...process.env, ...variables } });
  console.log(code === 0 ? `${name}: nothing found` : output);
  return code === 0;
}

/** About how many seconds the tests of the configuration need with a scale of 1. */
const CONFIG_SECONDS = 6;

async function main() {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
  const seconds = Number(values.seconds);
  if (!Number.isInteger(seconds) || seconds < 4)
    throw new SetupError('--seconds must be a whole number of at least 4');
  const half = Math.floor(seconds / 2);
  const quarter = Math.floor(seconds / 4);
  const programs = buildFuzzers(join(root, 'build/fuzz/bin'));
  const runner = await Promise.all(TARGETS.map((target) => fuzzRunner(target, programs[target.name], half)));
  const server = await fuzzTests('server', 'dist-test/fuzz', { BACKWORKS_FUZZ_SECONDS: String(quarter) });
  const scale = String(Math.max(1, Math.round(quarter / CONFIG_SECONDS)));
  const config = await fuzzTests('configuration', 'dist-test/config/load/properties', {
    BACKWORKS_PROPERTY_SCALE: scale,
  });
  return server && config && runner.every(Boolean);
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
