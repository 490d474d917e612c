/**
 * Measures how long an author waits from nothing to an answer of a new plugin, in each language: the commands that
 * `plugin new` prints, typed into a folder outside of the checkout.
 *
 *   npm run time:new               all languages; those without a compiler are left out
 *   npm run time:new -- c rust     some of them
 *
 * Every language is done twice, and the second time counts: by then the compiler has filled the caches that projects share.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { root } from '../scripts/run.mjs';
import { loadNow, machineFacts } from './machine.mjs';
import { machineLine, markdownTable } from './report/table.mjs';

/** What a language needs, by its name in `plugin new`: its title, and a command that shows that its compiler is there. */
const LANGUAGES = {
  c: ['C', 'cc --version && make --version'],
  cpp: ['C++', 'c++ --version && cmake --version'],
  rust: ['Rust', 'cargo --version'],
  go: ['Go', 'go version'],
  zig: ['Zig', 'zig version'],
};
const SEVERAL_MINUTES_MS = 900_000;

// npm would look for programs in the checkout, and CI's Zig is in the build directory.
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|BACKWORKS_|NODE_OPTIONS)/.test(name)),
);
environment.PATH = [process.env.PATH, join(root, 'build/zig/ziglang')].join(delimiter);
environment.NO_COLOR = '1';
environment.BACKWORKS_SET = 'server.port=0\nadmin.port=0';

/** A folder in which the package backworks is installed, as `npm install backworks` does it. */
function authorsFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'backworks-time-'));
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
  symlinkSync(root, join(folder, 'node_modules/backworks'));
  symlinkSync('../backworks/dist/cli/main.js', join(folder, 'node_modules/.bin/backworks'));
  return folder;
}

/** What `times` of a shell says of its children: user and system time. */
const TIMES = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\n$/;

/** Runs a line of a shell. @returns its stdout, and the processor time in seconds @throws Error with its output when it fails */
function shell(line, cwd) {
  const options = { cwd, env: environment, encoding: 'utf8', timeout: SEVERAL_MINUTES_MS };
  const { status, stdout, stderr } = spawnSync('bash', ['-euc', `${line}\ntimes`], options);
  if (status !== 0) throw new Error(`${line}: exit code ${status}\n${stdout}${stderr}`);
  const [userMinutes, user, systemMinutes, system] = TIMES.exec(stdout).slice(1).map(Number);
  return { stdout, processor: (userMinutes + systemMinutes) * 60 + user + system };
}

const seconds = (since) => (performance.now() - since) / 1000;

function timed(line, cwd) {
  const began = performance.now();
  const { stdout, processor } = shell(line, cwd);
  return { stdout, processor, elapsed: seconds(began) };
}

/** Starts a server and asks it once. @returns seconds until the answer */
async function timedAnswer(line, cwd) {
  const began = performance.now();
  // npx and the shell are its parents: all of them are one process group.
  const child = spawn('sh', ['-c', line], {
    cwd,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  try {
    const response = await fetch(`${await addressOf(child)}/hello/Ada`);
    const { greetings } = await response.json();
    if (greetings?.[0] !== 'hello Ada') throw new Error(`the plugin answered ${response.status}`);
    return seconds(began);
  } finally {
    if (child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
    await ended;
  }
}

function addressOf(child) {
  return new Promise((resolve, reject) => {
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => {
        output += text;
        const found = /listening on (http:\/\/[\d.]+:\d+)/.exec(output)?.[1];
        if (found !== undefined) resolve(found);
      });
    child.once('close', () => reject(new Error(`the server ended: ${output}`)));
  });
}

/** From nothing to an answer. @returns seconds of each step, and how many commands were typed */
async function author(language) {
  const folder = authorsFolder();
  const project = join(folder, 'hello');
  try {
    const made = timed(`npx backworks plugin new hello --lang ${language} --json`, folder);
    const { next } = JSON.parse(made.stdout.split('\n', 1)[0]);
    const [, build, test, start] = next;
    const steps = [made, timed(build, project), timed(test, project)];
    return { steps, answer: await timedAnswer(start, project), commands: 1 + next.length };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const sum = (values) => values.reduce((all, value) => all + value, 0);

function rowOf(title, { steps, answer, commands }) {
  const elapsed = [...steps.map((step) => step.elapsed), answer];
  const processor = sum(steps.map((step) => step.processor));
  return [title, ...[...elapsed, sum(elapsed), processor].map((value) => value.toFixed(1)), commands];
}

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !Object.hasOwn(LANGUAGES, name));
if (unknown !== undefined) {
  process.stderr.write(`time:new: no language "${unknown}", only ${Object.keys(LANGUAGES).join(', ')}\n`);
  process.exit(2);
}

const rows = [];
for (const [name, [title, probe]] of Object.entries(LANGUAGES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  if (spawnSync('sh', ['-c', probe], { env: environment, stdio: 'ignore' }).status !== 0) {
    process.stderr.write(`time:new: ${title} is left out: ${probe} fails\n`);
    continue;
  }
  await author(name);
  const row = rowOf(title, await author(name));
  process.stderr.write(`time:new: ${row.join(', ')}\n`);
  rows.push(row);
}
const header = [
  '',
  'plugin new (s)',
  'build (s)',
  'test (s)',
  'start → answer (s)',
  'all (s)',
  'processor time of the first three (s)',
  'commands',
];
const machine = `${machineLine(machineFacts())}; load average after: ${loadNow()}`;
process.stdout.write(`${markdownTable(header, rows).join('\n')}\n\n${machine}\n`);
