/** The C and C++ SDKs in programs of their own, under the sanitizers: no server runs. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { compileLibrary, compileProgram } from './c-plugins.js';

const BUILD_MS = 300_000;
const SANITIZE = ['-O0', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
const THREADS = ['-O0', '-fsanitize=thread'];

function output(program: string, args: readonly string[] = []): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program}: exit code ${status}: ${stdout}${stderr}`);
  return stdout;
}

describe('C++', () => {
  test(
    'JSON values keep their digits, and errors name the place in the document',
    () => {
      const program = compileProgram(['c++', 'c++17', ...SANITIZE], 'sdk/values.cpp', 'values');
      expect(output(program)).toBe('');
    },
    BUILD_MS,
  );

  test(
    'no exception of any type leaves any function, and the host reads what was thrown',
    () => {
      const program = compileProgram(['c++', 'c++17', ...SANITIZE], 'sdk/barrier.cpp', 'barrier');
      const lines = output(program).trim().split('\n');
      const of = (start: string): string[] => lines.filter((line) => line.startsWith(start));
      expect(of('manifest')).toEqual(['manifest int: -1, NULL', 'manifest none: 0, {}']);
      const hooks = ['before_request', 'process_endpoint', 'after_response', 'call'];
      const life = ['constructor', 'initialize', 'reconfigure', 'health_check', 'shutdown'];
      const thrown: [string, RegExp][] = [
        ['PluginError', /^sdk\/barrier\.cpp:\d+: boom$/],
        ['std::exception', /^std::out_of_range: boom$/],
        ['std::bad_alloc', /^std::bad_alloc: /],
        ['nested', /^sdk\/barrier\.cpp:\d+: outer: std::out_of_range: inner$/],
        ['std::string', /^boom$/],
        ['text', /^boom$/],
        ['int', /^threw int$/],
        ['class', /^threw .*OfItsOwn$/],
      ];
      for (const [what, message] of thrown) {
        for (const name of [...hooks, ...life]) {
          const [, status, said = ''] = /: (-?\d), (.*)$/.exec(of(`${name} ${what}:`)[0] ?? '') ?? [];
          expect({ name, what, said }).toEqual({
            name,
            what,
            said: expect.stringMatching(message) as unknown,
          });
          expect(status).toBe(life.includes(name) ? '-1' : '0');
        }
      }
      expect(lines).toHaveLength(2 + thrown.length * (hooks.length + life.length + 2));
    },
    BUILD_MS,
  );
});

describe.each([
  ['C', ['cc', 'c11', ...THREADS], 'conformance/c/conformance.c'],
  ['C++', ['c++', 'c++17', ...THREADS], 'conformance/cpp/conformance.cpp'],
] as const)('%s', (language, compiler, source) => {
  test(
    'calls on several threads do not disturb each other',
    () => {
      const library = compileLibrary(compiler, source, `threads-${language}.so`);
      const program = compileProgram(['cc', 'gnu11', ...THREADS, '-ldl'], 'sdk/threads.c', 'threads');
      expect(output(program, [library])).toBe('');
    },
    BUILD_MS,
  );
});
