import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fingerprint, readStamp, writeStamp } from './fingerprint.mjs';
import { findCompiler } from './prerequisites.mjs';
import { root, runConcurrently, say } from './run.mjs';

const INPUTS = ['binding.gyp', 'src/runner', 'native-sdk/include', 'examples/weather/c'];
const OUTPUTS = [
  `build/Release/backworks-runner${process.platform === 'win32' ? '.exe' : ''}`,
  `build/Release/backworks-json-check.${process.platform === 'win32' ? 'dll' : 'so'}`,
  'examples/weather/plugins/libweather_plugin.so',
];

/**
 * Builds the targets of binding.gyp, unless none of their inputs has changed.
 * strict: every compiler warning is an error.
 * @throws SetupError with the compiler's output
 */
export async function buildNative({ strict = false } = {}) {
  const digest = fingerprint(INPUTS);
  const complete = OUTPUTS.every((file) => existsSync(join(root, file)));
  const stamps = strict ? ['native-strict'] : ['native', 'native-strict'];
  if (complete && stamps.some((name) => readStamp(name) === digest)) return;

  say('building the runner and the C plugin (node-gyp)');
  const headers = findNodeHeaders();
  const env = buildEnvironment(strict);
  // Not `rebuild`: it would empty build/, which contains more than node-gyp's own files.
  await nodeGyp('configure', headers, env);
  await nodeGyp('build', [...headers, '--jobs', 'max'], env);
  writeStamp(stamps[0], digest);
}

function nodeGyp(step, options, env) {
  const program = join(root, 'node_modules/node-gyp/bin/node-gyp.js');
  const args = [program, step, '--release', '--loglevel=warn', ...options];
  return runConcurrently(`node-gyp ${step}`, process.execPath, args, { env });
}

function buildEnvironment(strict) {
  if (process.platform === 'win32') return {};
  const compiler = findCompiler() ?? 'cc';
  // All sources are C. Linking with the C compiler means that no C++ compiler is needed.
  const env = { CC: compiler, LINK: process.env.LINK ?? compiler };
  if (strict) env.CFLAGS = `${process.env.CFLAGS ?? ''} -Werror`.trim();
  return env;
}

/** The headers that came with the running Node, so that node-gyp does not have to download them. */
function findNodeHeaders() {
  if (process.env.npm_config_nodedir) return [];
  const prefix = dirname(dirname(process.execPath));
  const headers = join(prefix, 'include/node');
  if (['node_version.h', 'common.gypi'].every((file) => existsSync(join(headers, file)))) {
    return [`--nodedir=${prefix}`];
  }
  say(`no Node headers in ${headers}; node-gyp downloads them`);
  return [];
}
