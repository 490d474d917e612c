/**
 * Installs the programs that `npm run test:peers` talks to, unless they are there: Debian packages by apt-get, packages
 * of PyPI into build/peers/python, and QuickFIX/J by Maven into build/peers/quickfixj. A program that cannot be installed
 * is an error, except QuickFIX/J: it is a second peer, and its tests say why they are skipped.
 */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, say, SetupError } from './run.mjs';

/** Debian package → a file that it installs. */
const DEBIAN = {
  prometheus: '/usr/bin/promtool',
  'libsqlite3-dev': '/usr/include/sqlite3.h',
  gdb: '/usr/bin/gdb',
  lldb: '/usr/bin/lldb',
  'libmodbus-dev': '/usr/include/modbus/modbus.h',
  'libquickfix-dev': '/usr/include/quickfix/Application.h',
};
/** For QuickFIX/J. */
const JAVA = { 'default-jdk-headless': '/usr/bin/javac', maven: '/usr/bin/mvn' };
const PYTHON = ['pymodbus==3.16.1', 'hl7==0.4.5', 'hl7apy==1.3.5'];

const target = join(root, 'build/peers/python');
const quickfixj = join(root, 'build/peers/quickfixj');

function installDebian(packages) {
  const missing = Object.keys(packages).filter((name) => !existsSync(packages[name]));
  if (missing.length === 0) return;
  say(`installing ${missing.join(', ')} (apt-get)`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  try {
    run('apt-get update', 'apt-get', ['update', '-qq'], { env });
    run('apt-get install', 'apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], {
      env,
    });
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    throw new SetupError(`${error.message}\nInstall by hand: sudo apt-get install ${missing.join(' ')}`);
  }
}

/** Into a folder of its own, so that nothing of the system changes. Programs find it through PYTHONPATH. */
function installPython() {
  if (PYTHON.every((name) => existsSync(join(target, `${name.replace('==', '-')}.dist-info`)))) return;
  say(`installing ${PYTHON.join(', ')} (pip)`);
  const draft = `${target}.new`;
  rmSync(draft, { recursive: true, force: true });
  const options = ['--quiet', '--no-input', '--disable-pip-version-check', '--target', draft];
  mkdirSync(draft, { recursive: true });
  run('pip', 'python3', ['-m', 'pip', 'install', ...options, ...PYTHON]);
  rmSync(target, { recursive: true, force: true });
  renameSync(draft, target);
}

function installQuickfixj() {
  if (existsSync(quickfixj)) return;
  const missing = `${quickfixj}.missing`;
  try {
    installDebian(JAVA);
    say('installing QuickFIX/J (mvn)');
    const draft = `${quickfixj}.new`;
    rmSync(draft, { recursive: true, force: true });
    const pom = ['-f', join(root, 'test/fixtures/peers/quickfixj/pom.xml')];
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${draft}`, '-DincludeScope=runtime'];
    run('mvn', 'mvn', ['--quiet', '--batch-mode', ...pom, ...goal]);
    renameSync(draft, quickfixj);
    rmSync(missing, { force: true });
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(`without QuickFIX/J: ${error.message}`);
    writeFileSync(missing, `${error.message.split('\n', 2).join(' ')}\n`);
  }
}

try {
  installDebian(DEBIAN);
  installPython();
  installQuickfixj();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`setup: ${error.message}\n`);
  process.exitCode = 1;
}
