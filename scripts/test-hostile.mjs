/**
 * Runs the hostile matrix, test/hostile, and writes docs/hostile-matrix.md from the results.
 *
 *   node scripts/test-hostile.mjs [jest options]
 *
 * Started as root, the matrix runs twice: as root, where plugins run as another user, and as an ordinary
 * user, where plugins run as the user of the server. Otherwise the matrix runs once, as the current user.
 * The document is written when every row has passed in both runs.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeHostileMatrix } from './hostile-matrix.mjs';
import { root } from './run.mjs';

const ORDINARY = 65534;
const isRoot = process.getuid?.() === 0;
const options = process.argv.slice(2);
const say = (text) => process.stderr.write(`test:hostile: ${text}\n`);

/** Runs the matrix with its own home directory, so that no earlier run and no quarantine affects the results. */
function runMatrix(work, { name, user }) {
  const home = join(work, user === undefined && isRoot ? 'root' : 'user');
  mkdirSync(home);
  chmodSync(home, 0o755);
  if (user !== undefined) chownSync(home, user, user);
  const results = join(home, 'results.jsonl');
  const jest = [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    join(root, 'node_modules/jest/bin/jest.js'),
    `--cacheDirectory=${join(home, 'jest')}`,
    '--testPathIgnorePatterns=/node_modules/',
    ...options,
    '--',
    'dist-test/hostile/',
  ];
  say(`as ${name}`);
  const command =
    user === undefined
      ? [process.execPath]
      : ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups', process.execPath];
  const { status, error } = spawnSync(command[0], [...command.slice(1), ...jest], {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      // The compilers of the first run need the home directory of the current user.
      ...(user === undefined ? {} : { HOME: home }),
      XDG_CACHE_HOME: join(home, '.cache'),
      TMPDIR: home,
      HOSTILE_RESULTS: results,
    },
  });
  if (error !== undefined) throw error;
  const lines = existsSync(results) ? readFileSync(results, 'utf8').trimEnd().split('\n') : [];
  return { passed: status === 0, rows: lines.map((line) => JSON.parse(line)) };
}

if (process.platform !== 'linux') {
  say(`the matrix is about Linux; this is ${process.platform}`);
  process.exit(1);
}
const work = mkdtempSync(join(tmpdir(), 'backworks-matrix-'));
chmodSync(work, 0o755);
try {
  const asRoot = isRoot ? runMatrix(work, { name: 'root' }) : null;
  if (!isRoot) say('not started as root: only the run as an ordinary user');
  const asUser = runMatrix(work, { name: 'an ordinary user', user: isRoot ? ORDINARY : undefined });
  const passed = (asRoot?.passed ?? true) && asUser.passed;
  process.exitCode = passed ? 0 : 1;
  if (passed && asRoot !== null && options.length === 0) {
    writeHostileMatrix(join(root, 'docs/hostile-matrix.md'), asRoot.rows, asUser.rows);
  } else {
    say('docs/hostile-matrix.md stays as it is');
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
