/**
 * `npm run test:fuzz -- --seconds N`: fuzzes for about N seconds in all (default 60). Half of the time libFuzzer
 * fuzzes the runner and the C SDK; the other half, hostile runners fuzz the server. Inputs that reach new code stay in
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

/** Fuzzes the server with hostile runners. */
async function fuzzServer(seconds) {
  const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const { code, output } = await start(
    process.execPath,
    [...jest, 'node_modules/jest/bin/jest.js', 'dist-test/fuzz'],
    { env: { ...process.env, BACKWORKS_FUZZ_SECONDS: String(seconds) } },
  );
  console.log(code === 0 ? 'server: nothing found' : output);
  return code === 0;
}

async function main() {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
  const seconds = Number(values.seconds);
  if (!Number.isInteger(seconds) || seconds < 4)
    throw new SetupError('--seconds must be a whole number of at least 4');
  const half = Math.floor(seconds / 2);
  const programs = buildFuzzers(join(root, 'build/fuzz/bin'));
  const runner = await Promise.all(TARGETS.map((target) => fuzzRunner(target, programs[target.name], half)));
  const server = await fuzzServer(half);
  return server && runner.every(Boolean);
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
