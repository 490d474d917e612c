/**
 * Formats the C and C++ files of the repository with .clang-format. The binary is part of the development
 * dependency clang-format-node, so the result is the same on every machine.
 *
 *   node scripts/format-c.mjs           formats in place
 *   node scripts/format-c.mjs --check   changes nothing; fails and names the lines that would change
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import clangFormat from 'clang-format-node';
import { root } from './run.mjs';

const FOLDERS = ['src/runner', 'native-sdk', 'examples', 'templates', 'test', 'bench'];
const SOURCE = /\.(c|h|cpp|hpp)$/;
const BUILT = new Set(['node_modules', 'target', 'build']);

function sourcesUnder(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return BUILT.has(entry.name) ? [] : sourcesUnder(path);
    return entry.isFile() && SOURCE.test(entry.name) ? [path] : [];
  });
}

const check = process.argv.includes('--check');
const files = FOLDERS.flatMap(sourcesUnder);
const program = clangFormat.clangFormatPath;
const { status, error } = spawnSync(program, [...(check ? ['--dry-run', '--Werror'] : ['-i']), ...files], {
  cwd: root,
  stdio: 'inherit',
});
if (error !== undefined) process.stderr.write(`format: ${program} does not start: ${error.message}\n`);
if (check && status !== 0) process.stderr.write('format: format C files with: npm run format\n');
process.exitCode = status ?? 1;
