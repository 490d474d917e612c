/**
 * Builds the fuzzers of the runner: its own files as they are, with AddressSanitizer and
 * UndefinedBehaviorSanitizer, and test/fuzz/runner/*_memory.c in place of the operating system's.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, SetupError } from '../../scripts/run.mjs';

const SANITIZE = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
const FLAGS = ['-std=gnu11', '-g', '-O1', '-Wall', '-Wextra', '-Werror', ...SANITIZE];

const RUNNER = [
  'answer',
  'arguments',
  'call_threads',
  'crash_report_other',
  'describe',
  'frame_header',
  'hooks',
  'host_table',
  'input',
  'json_check',
  'json_string',
  'library',
  'lock_posix',
  'log_rate',
  'output',
  'own_call',
  'pool',
  'refusals',
  'sandbox_policy',
  'sandbox_report',
  'sandbox_settings',
  'serve',
  'services_posix',
  'text',
  'threads_windows',
];
const SURROUNDINGS = ['answers', 'channel_memory', 'dylib_memory', 'process_memory'];

/** Per fuzzer: what it needs besides, of the runner and of its own. */
const FUZZERS = {
  conversation: { runner: ['sandbox_other'], own: ['conversation_fuzzer', 'frame_mutator'] },
  settings: { runner: ['bpf_assembler', 'seccomp_arguments', 'seccomp_filter'], own: ['settings_fuzzer'] },
  describe: { runner: ['sandbox_other'], own: ['describe_fuzzer'] },
  json: { runner: ['sandbox_other'], own: ['json_fuzzer'] },
};

/**
 * @returns the path of each program by name
 * @throws SetupError with the compiler's words
 */
export function buildFuzzers(directory) {
  mkdirSync(directory, { recursive: true });
  const compiler = findClang();
  const compiled = new Map();
  const compile = (folder, name, flags) => {
    const object = join(directory, `${folder.replaceAll('/', '-')}-${name}.o`);
    const arguments_ = [...FLAGS, '-fsanitize=fuzzer-no-link', ...flags];
    if (!compiled.has(object))
      run(`compiling ${name}.c`, compiler, [...arguments_, '-c', join(folder, `${name}.c`), '-o', object]);
    compiled.set(object, true);
    return object;
  };
  const statics = ['-include', 'test/fuzz/runner/statics.h'];
  const programs = {};
  for (const [name, { runner, own }] of Object.entries(FUZZERS)) {
    const objects = [
      ...[...RUNNER, ...runner].map((file) => compile('src/runner', file, statics)),
      ...[...SURROUNDINGS, ...own].map((file) => compile('test/fuzz/runner', file, [])),
    ];
    programs[name] = join(directory, name);
    run(`linking ${name}`, compiler, [...SANITIZE, '-fsanitize=fuzzer', '-o', programs[name], ...objects]);
  }
  return programs;
}

function findClang() {
  try {
    run('clang', 'clang', ['--version'], { cwd: root });
  } catch {
    throw new SetupError('fuzzing needs clang and its runtime: apt-get install clang libclang-rt-14-dev');
  }
  return 'clang';
}
