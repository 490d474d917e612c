/**
 * Checks the packages of `npm run pack` as their users see them: publint for the manifests and files, attw for the
 * types. npm fetches both tools for the run; they are not dependencies, because they would be half of the lock file.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, say, SetupError } from '../run.mjs';

const PUBLINT = 'publint@0.3.25';
const ATTW = '@arethetypeswrong/cli@0.18.5';

function npx(tool, args) {
  run(tool, 'npm', ['exec', '--yes', '--loglevel=error', `--package=${tool}`, '--', ...args]);
}

const packages = join(root, 'build/packages');
try {
  const archives = readdirSync(packages).filter((file) => file.endsWith('.tgz'));
  for (const archive of archives) npx(PUBLINT, ['publint', '--strict', join(packages, archive)]);
  const library = archives.find((file) => /^backworks-\d/.test(file));
  // The package is ES modules only, which Node 20 cannot require().
  npx(ATTW, ['attw', '--profile', 'esm-only', join(packages, library)]);
  say(`publint and attw: ${archives.length} packages without findings`);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`setup: ${error.message}\n`);
  process.exitCode = 1;
}
