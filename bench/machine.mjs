import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, type, availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { root } from '../scripts/run.mjs';

/** Program → arguments with which it prints its version. */
const PROGRAMS = { cc: ['--version'], clang: ['--version'], go: ['version'], nginx: ['-v'], wrk: ['-v'] };
/** Package → the folder it is installed in. */
const PACKAGES = { hono: '.', '@hono/node-server': '.', koffi: '.', '@extism/extism': 'bench/peers/extism' };

/** What a reader needs to judge the figures. Contains nothing that identifies a machine or its owner. */
export function machineFacts() {
  const [first] = cpus();
  return {
    cpu: first?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    system: `${type()} ${release().replace(/^(\d+(?:\.\d+)*).*$/, '$1')}`,
    architecture: process.arch,
    node: process.versions.node,
    versions: versions(),
    commit: commit(),
  };
}

/** The load average of the last minute. A value well above 0 means a busy machine. */
export function loadNow() {
  return Number(loadavg()[0].toFixed(1));
}

/** The versions of the programs that the peers are built with. Missing programs are left out. */
function versions() {
  const programs = Object.entries(PROGRAMS).map(([name, args]) => [name, firstLine(name, args)]);
  const packages = Object.entries(PACKAGES).map(([name, folder]) => [name, packageVersion(folder, name)]);
  return Object.fromEntries([...programs, ...packages].filter(([, version]) => version !== null));
}

function firstLine(program, args) {
  const { error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return error === undefined ? (/\d[\w.+-]*\.[\w.+-]*/.exec(`${stdout}${stderr}`)?.[0] ?? null) : null;
}

function packageVersion(folder, name) {
  try {
    return JSON.parse(readFileSync(join(root, folder, 'node_modules', name, 'package.json'), 'utf8')).version;
  } catch {
    return null;
  }
}

/** Null outside of a git checkout. Files that the benchmark itself writes do not count as changes. */
function commit() {
  const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  const head = git('rev-parse', '--short=12', 'HEAD');
  if (head.status !== 0) return null;
  const changed = git('status', '--porcelain', '--', '.', ':!bench/results', ':!docs/performance.md');
  return head.stdout.trim() + (changed.stdout.trim() === '' ? '' : ' with changes');
}
