/**
 * Builds the fuzzers of the runner from its unchanged files, with AddressSanitizer and
 * UndefinedBehaviorSanitizer. test/fuzz/runner/*_memory.c replaces the operating system.
 * Builds the fuzzer of the C SDK, which consists of headers, in the same way.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, SetupError } from '../../scripts/run.mjs';

const SANITIZE = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
const FLAGS = ['-std=gnu11', '-g', '-O1', '-Wall', '-Wextra', '-Werror', '-Isrc/runner', ...SANITIZE];

const RUNNER = [
  'serve/answer',
  'serve/arguments',
  'serve/call_threads',
  'crash/crash_report_other',
  'library/describe',
  'frames/frame_header',
  'serve/hooks',
  'serve/host_requests',
  'serve/host_table',
  'frames/input',
  'json/json_check',
  'json/json_string',
  'library/library',
  'os/lock_posix',
  'serve/log_rate',
  'frames/output',
  'frames/own_call',
  'serve/pool',
  'sandbox/refusals',
  'sandbox/sandbox_policy',
  'sandbox/sandbox_report',
  'sandbox/sandbox_settings',
  'serve/request_patch',
  'serve/serve',
  'serve/services_posix',
  'library/text',
  'os/threads_windows',
];
const SURROUNDINGS = ['answers', 'channel_memory', 'dylib_memory', 'process_memory'];

const SDK_FUZZER = 'test/fuzz/sdk/document_fuzzer.c';
const SDK_FLAGS = [...FLAGS, '-std=c11', '-Inative-sdk/include', '-fsanitize=fuzzer'];

/** Further files of each fuzzer: from the runner, and from test/fuzz/runner. */
const FUZZERS = {
  conversation: { runner: ['sandbox/sandbox_other'], own: ['conversation_fuzzer', 'frame_mutator'] },
  settings: {
    runner: ['sandbox/bpf_assembler', 'sandbox/seccomp_arguments', 'sandbox/seccomp_filter'],
    own: ['settings_fuzzer'],
  },
  describe: { runner: ['sandbox/sandbox_other'], own: ['describe_fuzzer'] },
  json: { runner: ['sandbox/sandbox_other'], own: ['json_fuzzer'] },
  patch: { runner: ['sandbox/sandbox_other'], own: ['patch_fuzzer'] },
};

/**
 * @returns the path of each program by name
 * @throws SetupError with the compiler's message
 */
export function buildFuzzers(directory) {
  mkdirSync(directory, { recursive: true });
  const compiler = findClang();
  const compiled = new Map();
  const compile = (folder, name, flags) => {
    const object = join(directory, `${join(folder, name).replaceAll('/', '-')}.o`);
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
  programs.document = join(directory, 'document');
  run('compiling document_fuzzer.c', compiler, [...SDK_FLAGS, '-o', programs.document, SDK_FUZZER]);
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
