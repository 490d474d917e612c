import { execFileSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { SetupError } from './run.mjs';

const NODE_MINIMUM = [20, 12];

/** What to install, under the names that each package manager uses. */
const PACKAGES = {
  compiler: { debian: 'gcc libc6-dev', fedora: 'gcc glibc-devel', macos: 'xcode-select --install' },
  make: { debian: 'make', fedora: 'make', macos: 'xcode-select --install' },
  python: { debian: 'python3', fedora: 'python3', macos: 'xcode-select --install' },
  npm: { debian: 'npm', fedora: 'nodejs-npm', macos: 'brew install node' },
  curl: { debian: 'curl', fedora: 'curl', macos: 'brew install curl' },
  openssl: { debian: 'openssl', fedora: 'openssl', macos: 'brew install openssl' },
  cargo: { debian: 'cargo', fedora: 'cargo', macos: 'brew install rust' },
};

/** The path of a command, or null. */
export function findProgram(name) {
  const folders = isAbsolute(name) ? [''] : (process.env.PATH ?? '').split(delimiter);
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', ''] : [''];
  for (const folder of folders) {
    for (const ending of endings) {
      const path = join(folder, name + ending);
      if (isExecutable(path)) return path;
    }
  }
  return null;
}

/** The C compiler: the value of CC, else the first of the usual names that exists. */
export function findCompiler() {
  const names = process.env.CC ? [process.env.CC.split(' ')[0]] : ['cc', 'gcc', 'clang'];
  const found = names.find((name) => findProgram(name) !== null);
  return found === undefined ? null : (process.env.CC ?? found);
}

export function hasCargo() {
  return findProgram('cargo') !== null;
}

/**
 * Checks for programs that setup cannot install.
 * @throws SetupError that lists all missing programs, with the packages to install
 */
export function checkPrerequisites({ tests, rust }) {
  const missing = [];
  if (!nodeIsNewEnough()) {
    missing.push({ what: `Node ${NODE_MINIMUM.join('.')} or newer (this is ${process.version})` });
  }
  if (process.env.npm_execpath === undefined && findProgram('npm') === null) {
    missing.push({ what: 'npm', install: PACKAGES.npm });
  }
  // On Windows node-gyp itself looks for Visual Studio and Python, and reports what is missing.
  if (process.platform !== 'win32') missing.push(...missingBuildTools());
  if (rust && !hasCargo()) {
    missing.push({ what: 'cargo, for the plugins written in Rust', install: PACKAGES.cargo });
  }
  if (tests && findProgram('curl') === null) {
    missing.push({ what: 'curl, for the tests of the documentation', install: PACKAGES.curl });
  }
  if (tests && findProgram('openssl') === null) {
    missing.push({ what: 'openssl, for the certificates of the tests', install: PACKAGES.openssl });
  }
  if (missing.length > 0) throw new SetupError(describe(missing));
}

function missingBuildTools() {
  const missing = [];
  if (findCompiler() === null) missing.push({ what: 'a C compiler (cc)', install: PACKAGES.compiler });
  if (findProgram('make') === null && findProgram('gmake') === null) {
    missing.push({ what: 'make', install: PACKAGES.make });
  }
  if (!hasPython()) missing.push({ what: 'python3, which node-gyp needs', install: PACKAGES.python });
  return missing;
}

function nodeIsNewEnough() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > NODE_MINIMUM[0] || (major === NODE_MINIMUM[0] && minor >= NODE_MINIMUM[1]);
}

/** On a fresh Mac, `python3` only starts an installer, so the check has to run it. */
function hasPython() {
  const named = process.env.npm_config_python ?? process.env.PYTHON;
  return (named ? [named] : ['python3', 'python']).some((name) => {
    if (findProgram(name) === null) return false;
    if (process.platform !== 'darwin') return true;
    try {
      execFileSync(name, ['-c', ''], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function describe(missing) {
  const lines = ['missing on this machine:', ...missing.map(({ what }) => `  - ${what}`)];
  const installs = missing.flatMap(({ install }) => (install === undefined ? [] : [install]));
  if (installs.length > 0) {
    const together = (key) => [...new Set(installs.map((install) => install[key]))];
    lines.push('install with:');
    lines.push(`  Debian, Ubuntu:  sudo apt-get install ${together('debian').join(' ')}`);
    lines.push(`  Fedora:          sudo dnf install ${together('fedora').join(' ')}`);
    lines.push(`  macOS:           ${together('macos').join(' && ')}`);
  }
  if (installs.length < missing.length) lines.push('Node: https://nodejs.org/en/download');
  return lines.join('\n');
}
