import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, say } from './run.mjs';

/** Installs the packages of package-lock.json, unless node_modules already contains exactly those. */
export function installPackages() {
  if (isInstalled()) return;
  say('installing packages (npm ci)');
  // None of the packages needs its install script. Without scripts, no third-party code runs during setup.
  npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
}

/** Inside `npm run`, the npm that runs this script. Otherwise the npm on PATH. */
function npm(args) {
  const cli = process.env.npm_execpath;
  if (cli?.endsWith('npm-cli.js')) run('npm ci', process.execPath, [cli, ...args]);
  else run('npm ci', 'npm', args);
}

/**
 * npm writes node_modules/.package-lock.json at the end of a successful install. A comparison with the
 * lock file detects an interrupted, older or production-only install.
 */
function isInstalled() {
  const wanted = readLock('package-lock.json');
  const present = readLock('node_modules/.package-lock.json');
  if (wanted === null || present === null) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const found = present[path];
    // Optional packages are for other platforms.
    if (found === undefined) return entry.optional === true || entry.devOptional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

function readLock(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8')).packages ?? null;
  } catch {
    return null;
  }
}
