/**
 * Installs the Zig compiler into build/zig, from the package ziglang of PyPI, unless it is there. The tests of the
 * Zig SDK use it. Without it they say that they did not run.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, say, SetupError } from './run.mjs';

const VERSION = '0.17.1';
const target = join(root, 'build/zig');
const draft = `${target}.new`;

function install() {
  say(`installing zig ${VERSION} (pip)`);
  mkdirSync(draft, { recursive: true });
  const options = ['--quiet', '--no-input', '--disable-pip-version-check', '--no-compile', '--target', draft];
  run('pip', 'python3', ['-m', 'pip', 'install', ...options, `ziglang==${VERSION}`]);
  rmSync(target, { recursive: true, force: true });
  renameSync(draft, target);
}

if (!existsSync(join(target, `ziglang-${VERSION}.dist-info`))) {
  try {
    install();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(`${error.message}\nsetup: zig could not be installed: the tests of the Zig SDK do not run`);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
