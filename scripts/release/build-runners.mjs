/**
 * Builds the runner and the library that checks JSON for every platform, with the Zig compiler, into
 * build/platforms/NAME. Each file is then read by the server's own file facts: format, processor, C library, oldest glibc.
 *
 *   node scripts/release/build-runners.mjs [NAME…]   all platforms, or those that are named
 */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fingerprint, readStamp, writeStamp } from '../fingerprint.mjs';
import { root, runConcurrently, say, SetupError } from '../run.mjs';
import { gypTarget } from './gyp.mjs';
import { PLATFORMS } from './platforms.mjs';

const zig = join(root, 'build/zig/ziglang', process.platform === 'win32' ? 'zig.exe' : 'zig');
const INPUTS = ['binding.gyp', 'src/runner', 'scripts/release', 'scripts/install-zig.mjs'];

/** What the release of node-gyp uses, without symbols and debug information. */
const RELEASE = ['-O3', '-fno-omit-frame-pointer', '-g0', '-s'];

const LINUX = ['-Wl,-z,relro,-z,now', '-Wl,-z,noexecstack', '-Wl,--as-needed'];

/**
 * The linker flags of binding.gyp, in the words of Zig's linker. It has no --dynamic-list: everything else is hidden, so
 * -rdynamic exports the same functions. The unwinder is Zig's, and static. The runner loads libraries, so it cannot be
 * static itself, with musl neither.
 */
function linkerFlags(binary, { os }) {
  if (binary === 'runner') {
    return os === 'linux' ? ['-pie', '-rdynamic', '-dynamic', ...LINUX, '-lunwind', '-ldl', '-lpthread'] : [];
  }
  return ['-shared', ...(os === 'linux' ? LINUX : [])];
}

/** Names of files as src/native/binaries.ts looks for them. */
function fileName(binary, { os }) {
  if (binary === 'runner') return `backworks-runner${os === 'win32' ? '.exe' : ''}`;
  return `backworks-json-check.${os === 'win32' ? 'dll' : 'so'}`;
}

async function build(binary, platform, directory) {
  const { sources, cflags, includes } = gypTarget(`backworks-${binary}`, platform);
  const output = join(directory, fileName(binary, platform));
  const options = [...cflags, ...RELEASE, ...includes.map((path) => `-I${path}`)];
  const shared = binary === 'runner' || platform.os === 'win32' ? [] : ['-fPIC'];
  const args = ['-target', platform.zig, ...options, ...shared, ...sources, '-o', output];
  await runConcurrently(`zig cc for ${platform.name}`, zig, [
    'cc',
    ...args,
    ...linkerFlags(binary, platform),
  ]);
  await check(output, platform);
}

const FORMATS = { linux: 'elf', darwin: 'mach-o', win32: 'pe' };

/** @throws SetupError when the file is not what its package says */
async function check(file, { name, os, cpu, libc, glibc }) {
  const { readLibraryFacts } = await import(join(root, 'dist/native/library/facts/index.js'));
  const { compareVersions } = await import(join(root, 'dist/native/library/facts/versions.js'));
  const facts = await readLibraryFacts(file);
  const wrong = (what) => new SetupError(`${file} is not for ${name}: ${what}`);
  if (facts.format !== FORMATS[os]) throw wrong(`it is a ${facts.format} file`);
  if (!facts.architectures.includes(cpu)) throw wrong(`it is built for ${facts.architectures.join(', ')}`);
  if (libc !== undefined && facts.libc !== null && facts.libc !== libc)
    throw wrong(`it is for ${facts.libc}`);
  if (glibc !== undefined && facts.glibcFloor !== null && compareVersions(facts.glibcFloor, glibc) > 0) {
    throw wrong(`it needs glibc ${facts.glibcFloor}`);
  }
  const missing = interposed({ file, libc }).filter((symbol) => !facts.exports.has(symbol));
  if (missing.length > 0) throw wrong(`it does not export ${missing.join(', ')}`);
  const needs = facts.glibcFloor === null ? '' : `, glibc ${facts.glibcFloor}`;
  say(`${file.slice(root.length)}: ${statSync(file).size} bytes${needs}`);
}

/** Functions that the runner must export to the libraries it loads; with musl it interposes none. */
function interposed({ file, libc }) {
  if (!file.endsWith('backworks-runner') || libc !== 'glibc') return [];
  const list = readFileSync(join(root, 'src/runner/interpose/interposed.list'), 'utf8');
  return list.match(/\w+(?=;)/g);
}

/** Builds what has changed for one platform. */
async function buildPlatform(platform) {
  const directory = join(root, 'build/platforms', platform.name);
  const digest = fingerprint(INPUTS, platform);
  const stamp = `platform-${platform.name}`;
  const complete = ['runner', 'json-check'].every((binary) =>
    existsSync(join(directory, fileName(binary, platform))),
  );
  if (complete && readStamp(stamp) === digest) return;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  await build('runner', platform, directory);
  await build('json-check', platform, directory);
  writeStamp(stamp, digest);
}

async function main(names) {
  if (!existsSync(zig)) throw new SetupError('zig is not there: node scripts/install-zig.mjs says why');
  const unknown = names.filter((name) => !PLATFORMS.some((platform) => platform.name === name));
  if (unknown.length > 0) {
    throw new SetupError(
      `no platform ${unknown.join(', ')}, only ${PLATFORMS.map(({ name }) => name).join(', ')}`,
    );
  }
  const wanted = PLATFORMS.filter(({ name }) => names.length === 0 || names.includes(name));
  const next = wanted.values();
  const worker = async () => {
    for (const platform of next) await buildPlatform(platform);
  };
  // Every worker is awaited before the first error is reported: no compiler goes on after the script has ended.
  const workers = await Promise.allSettled(Array.from({ length: availableParallelism() }, worker));
  const failure = workers.find(({ status }) => status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`setup: ${error.message}\n`);
  process.exitCode = 1;
}
