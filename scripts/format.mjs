/**
 * Formats the repository: prettier for every file type it supports, clang-format for C and C++.
 *
 *   node scripts/format.mjs           formats in place
 *   node scripts/format.mjs --check   changes nothing; fails and names what would change
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './run.mjs';

const check = process.argv.includes('--check');
const prettier = [
  'node_modules/prettier/bin/prettier.cjs',
  check ? '--check' : '--write',
  '--log-level=warn',
  '.',
];
const formatC = ['scripts/format-c.mjs', ...(check ? ['--check'] : [])];
const statuses = [prettier, formatC].map(([program, ...args]) => {
  const command = [join(root, program), ...args];
  return spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' }).status;
});
process.exitCode = statuses.every((status) => status === 0) ? 0 : 1;
