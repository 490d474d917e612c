import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { type CrashFrame, type PostMortem, validatePlugin } from '../../dist/index.js';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually, startServer, type TestServer } from '../fixtures/server.js';

const sources = fileURLToPath(new URL('../../test/fixtures/plugins/', import.meta.url));

/** The line of a fixture's source that contains a text. */
function lineOf(file: string, text: string): number {
  const lines = readFileSync(sources + file, 'utf8').split('\n');
  return lines.findIndex((line) => line.includes(text)) + 1;
}

/** Requests a path of a plugin that crashes there, and returns its post-mortem. */
async function crash(server: TestServer, path: string): Promise<PostMortem> {
  const logged = server.log.length;
  expect((await server.get(path)).status).toBe(503);
  const isReport = ({ level, fields }: { level: string; fields: object }): boolean =>
    level === 'error' && 'outcome' in fields;
  await eventually(() => server.log.slice(logged).some(isReport), 'the report of the crash');
  const postMortem = server.plugin('faulty').failures[0] as PostMortem;
  // The log has what the post-mortem has.
  const line = server.log.slice(logged).find(isReport);
  expect(line?.message).toBe(postMortem.message);
  if (postMortem.backtrace.length > 0) expect(line?.fields['backtrace']).toEqual(postMortem.backtrace);
  await eventually(
    () => server.plugin('faulty').processes.some(({ state }) => state === 'ready'),
    'another process',
  );
  return postMortem;
}

const PATHS = [
  ...['x', 'nested', 'abort', 'assert', 'double-free', 'jump'],
  ...['overflow', 'untabled', 'circle', 'outside', 'no-stack'],
];

function serverOf(fixture: string): Promise<TestServer> {
  return startServer(`
endpoints:
${PATHS.map((path) => `  ${path}: { path: /${path}, plugin: faulty }`).join('\n')}
plugins:
  faulty:
    path: ${compilePlugin(fixture)}
    timeouts: { initialize: 1m, call: 1m }
    circuit_breaker: { failures: 1000 }
    quarantine: { failures: 0 }
    restart: { delay: 1ms, max_delay: 1ms }
    limits: { memory: 1GiB }
`);
}

/** The plugin's own functions, innermost first; of several equal ones the first. */
function functions(backtrace: readonly CrashFrame[]): (string | null)[] {
  const names = backtrace.filter(({ own }) => own).map((frame) => frame.function);
  return names.filter((name, index) => index === 0 || name !== names[index - 1]);
}

const OUTER = ['fail', 'process_endpoint'];

describe('a plugin in C that crashes', () => {
  const server = serverOf('crash_frames');

  test.each([
    ['/nested', 'SIGSEGV', ['write_to', 'nested', ...OUTER], '*place = 1;'],
    ['/abort', 'SIGABRT', OUTER, 'abort();'],
    ['/assert', 'SIGABRT', ['check', ...OUTER], 'assert(value > 0'],
    ['/double-free', 'SIGABRT', ['free_twice', ...OUTER], 'free(again);'],
    ['/jump', 'SIGSEGV', ['jump_to_nothing', ...OUTER], 'nothing();'],
    // A function without unwind tables: the frame pointers are followed instead.
    ['/untabled', null, ['untabled', 'without_tables'], null],
  ] as const)('is reported with its functions and lines: %s', async (path, signal, names, text) => {
    const { at, backtrace, message, ...rest } = await crash(await server, path);
    if (signal !== null) expect(rest.signal).toBe(signal);
    expect(functions(backtrace).slice(0, names.length)).toEqual(names);
    const own = backtrace.find((frame) => frame.own) as CrashFrame;
    if (text !== null) {
      const line = lineOf('crash_frames.c', text);
      expect(own).toMatchObject({ file: `${sources}crash_frames.c`, line });
      expect(at).toBe(`${own.at} (${names[0]} at crash_frames.c:${line})`);
      expect(message).toContain(`during process_endpoint at ${at}`);
    }
    // The runner's frames below the plugin are left out.
    expect(backtrace.at(-1)).toMatchObject({ own: true });
  });

  test('that overflows its stack is reported with the first 33 functions', async () => {
    const { backtrace } = await crash(await server, '/overflow');
    expect(backtrace).toHaveLength(33);
    expect(functions(backtrace)).toEqual(['recurse']);
  });

  test.each(['/circle', '/outside', '/no-stack'])(
    'with a stack that cannot be walked is reported with what can be read: %s',
    async (path) => {
      const { backtrace, at } = await crash(await server, path);
      expect(backtrace.length).toBeGreaterThan(0);
      expect(backtrace.length).toBeLessThanOrEqual(33);
      expect(at).toContain('crash_frames.so+0x');
    },
  );

  test('is reported with the functions of the C library that it called', async () => {
    const { backtrace } = await crash(await server, '/abort');
    const foreign = backtrace.filter(({ own }) => !own);
    expect(foreign.map(({ at }) => at).join()).toMatch(/libc/);
    expect(foreign.map((frame) => frame.function)).toContain('abort');
  });

  test.each([
    ['/double-free', /^free\(\): double free detected|^double free or corruption/],
    ['/assert', /^\S*crash_frames\.c:\d+: check: Assertion `value > 0 && "it must be positive"' failed\.$/],
  ] as const)('is reported with what the C library said: %s', async (path, said) => {
    const report = await crash(await server, path);
    expect(report.said).toMatch(said);
    expect(report.message.endsWith(`: ${String(report.said)}`)).toBe(true);
  });

  test('shows no line of its stderr to the client', async () => {
    const { body } = await (await server).get('/double-free');
    expect(JSON.stringify(body)).not.toMatch(/double free|crash_frames\.c/);
  });
});

test('an exception that leaves a thread of C++ is reported with its text and the function that threw', async () => {
  const server = await serverOf('crash_thread');
  const { said, at, backtrace, signal } = await crash(server, '/x');
  expect(signal).toBe('SIGABRT');
  expect(said).toBe('uncaught exception std::runtime_error: no such account');
  expect(backtrace.map((frame) => frame.function)).toContain('__cxa_throw');
  expect(at).toMatch(new RegExp(`crash_thread\\.cpp:${lineOf('crash_thread.cpp', 'throw std::')}\\)$`));
  await server.backworks.stop();
});

test('a panic of Rust that aborts is reported with its message and place', async () => {
  const server = await serverOf('hostile/h34_rust_panic');
  const { said, signal, backtrace } = await crash(server, '/x');
  expect(signal).toBe('SIGABRT');
  const line = lineOf('hostile/h34_rust_panic.rs', 'panic!(');
  expect(said).toMatch(new RegExp(`^panicked at \\S*h34_rust_panic\\.rs:${line}:5: panicked at "/x"$`));
  expect(functions(backtrace)).toContain('h34_rust_panic::process_endpoint');
  await server.backworks.stop();
});

test.each([
  ['crash_constructor', 'load and describe', 'crash', '*nowhere = 1;'],
  ['crash_segv', 'process_endpoint', 'process_endpoint', '*(volatile int *)NULL = 1;'],
])('validation reports function and line of a crash: %s', async (fixture, check, name, text) => {
  const { checks } = await validatePlugin(compilePlugin(fixture), undefined, { quick: true });
  const crashed = checks.find(({ outcome }) => outcome === 'crashed');
  const line = lineOf(`${fixture}.c`, text);
  expect(crashed).toMatchObject({ name: check });
  expect(crashed?.detail).toMatch(
    new RegExp(`at ${fixture}\\.so\\+0x[0-9a-f]+ \\(${name} at ${fixture}\\.c:${line}\\)`),
  );
  expect(crashed?.backtrace[0]).toMatchObject({ own: true, function: name, line });
});

const hasGo = spawnSync('go', ['version']).status === 0;
(hasGo ? test : test.skip)(
  'a panic of Go is reported with its message and the function that panicked',
  async () => {
    const server = await serverOf('hostile/h34_go_panic');
    const { said, code } = await crash(server, '/x');
    expect(code).toBe('BW_PLUGIN_CRASHED');
    const line = lineOf('hostile/h34_go_panic.go', 'panic(');
    expect(said).toMatch(
      new RegExp(`^panic: panicked at /x, main\\.answer at \\S*h34_go_panic\\.go:${line}$`),
    );
    await server.backworks.stop();
  },
);
