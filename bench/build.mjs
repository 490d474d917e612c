import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { findCompiler, findProgram } from '../scripts/prerequisites.mjs';
import { root, run } from '../scripts/run.mjs';

/** The benchmark writes everything it compiles to this directory. `npm run clean` removes it. */
export const output = join(root, 'build', 'bench');
const bench = join(root, 'bench');

/** Something that a peer needs is missing. The table shows the message in place of a figure. */
export class Missing extends Error {}

/**
 * The path of a program.
 * @throws Missing when the program is not installed. `install` says what to install.
 */
export function need(program, install = program) {
  const found = findProgram(program);
  if (found === null) throw new Missing(`needs ${install}`);
  return found;
}

/**
 * Compiles one C file, unless it is compiled already.
 * @returns absolute path of the result
 */
export function compileC(source, target, flags = []) {
  const compiler = findCompiler();
  if (compiler === null) throw new Missing('needs a C compiler');
  const [program, ...given] = compiler.split(' ');
  const input = join(bench, source);
  const header = join(root, 'native-sdk/include');
  const all = [...given, '-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', `-I${header}`, ...flags];
  return once(target, [input, join(header, 'backworks_plugin.h')], all.join(' '), (draft) =>
    run(`compiling ${source}`, program, [...all, '-o', draft, input, '-ldl', '-lpthread']),
  );
}

/** A build of bench/plugin/bench_plugin.c with some flags. Each set of flags has its own file name. */
const VARIANTS = {
  all: ['-DHOOKS=7'],
  threads: ['-DHOOKS=7', '-DTHREAD_SAFE'],
  before: ['-DHOOKS=1'],
  endpoint: ['-DHOOKS=2'],
  after: ['-DHOOKS=4'],
};

export function benchPlugin(variant = 'all') {
  const name = variant === 'all' ? 'bench' : `bench-${variant}`;
  const flags = ['-shared', '-fPIC', ...VARIANTS[variant], `-DNAME="${name}"`];
  return compileC('plugin/bench_plugin.c', `${name}.so`, flags);
}

/**
 * A build of bench/plugin/changing_plugin.c.
 * @param hooks names of the hooks it has
 */
export function changingPlugin(hooks) {
  const bits = hooks.reduce((sum, hook) => sum + HOOK_BITS[hook], 0);
  return compileC('plugin/changing_plugin.c', `changing-${bits}.so`, ['-shared', '-fPIC', `-DHOOKS=${bits}`]);
}

const HOOK_BITS = { before: 1, endpoint: 2, after: 4 };

export function emptyPlugin() {
  return compileC('plugin/empty_plugin.c', 'empty.so', ['-shared', '-fPIC']);
}

/**
 * Makes `target` with `make(draft)`, unless its inputs and flags are the same as the last time.
 * @returns absolute path of the target
 */
export function once(target, inputs, flags, make) {
  mkdirSync(output, { recursive: true });
  const file = join(output, target);
  const hash = createHash('sha256').update(flags);
  for (const input of inputs) hash.update(readFileSync(input));
  const digest = hash.digest('hex');
  const stamp = `${file}.stamp`;
  if (existsSync(file) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return file;
  make(`${file}.draft`);
  renameSync(`${file}.draft`, file);
  writeFileSync(stamp, digest);
  return file;
}

/**
 * Installs the packages of a peer from its own lock file. They never become packages of the project.
 * @throws Missing when this needs the network and `install` is false, or when it fails
 */
export function installPackages(folder, { install }) {
  const cwd = join(bench, folder);
  const lock = readFileSync(join(cwd, 'package-lock.json'));
  const stamp = join(cwd, 'node_modules', '.bench-stamp');
  const digest = createHash('sha256').update(lock).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  if (!install) throw new Missing('a run without --quick installs it');
  try {
    run(`npm ci in ${folder}`, need('npm'), ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd });
  } catch {
    throw new Missing('npm ci failed');
  }
  writeFileSync(stamp, digest);
}

/** Every file in a folder of bench/ that has one of the file name endings. */
export function sources(folder, endings) {
  const cwd = join(bench, folder);
  return readdirSync(cwd, { recursive: true })
    .filter((name) => !name.includes('node_modules') && endings.some((ending) => name.endsWith(ending)))
    .map((name) => join(cwd, name))
    .filter((path) => statSync(path).isFile())
    .sort();
}
