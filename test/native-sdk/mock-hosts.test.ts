/** The mock hosts of the SDKs, with which authors test plugins without Node.js. Run by `npm run test:sdk`. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { compileProgram } from './c-plugins.js';
import { goModule } from './go-plugins.js';
import { authorsDirectory, codeOf, shell } from './guide-code.js';
import { root, run, target } from './language.js';

const BUILD_MS = 600_000;
const SANITIZE = ['-O0', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function ended(program: string, args: readonly string[], options: object = {}): Ended {
  return spawnSync(program, args, { encoding: 'utf8', ...options });
}

/** An argument of mock_host.c, and the line that the failing check prints. */
const FAILURES: readonly (readonly [argument: string, line: RegExp])[] = [
  ['member', /: process_endpoint: \/body\/id is 1, expected 2; the answer was \{"status":201,.*\}$/],
  ['absent', /: process_endpoint: \/body\/name is absent, expected 2; the answer was \{.*\}$/],
  ['failed', /: process_endpoint failed: .*endpoint: as asked$/],
  ['null', /: process_endpoint answered \{"status":204,.*\}, expected NULL$/],
  ['failure', /: process_endpoint answered \{"status":204,.*\}, expected a failure with: boom$/],
  ['condition', /: this should hold: 1 \+ 1 == 3$/],
  ['logged', /: no error line contains "other"; logged: \[\["debug","debug line"\],.*\]$/],
  ['started', /: initialize\(\) failed: .*not today$/],
  ['document', /: the document is not JSON: unexpected character.* at byte 8 of \{"body":\}$/],
];

/** Compiles mock_host.c together with a plugin. */
const LANGUAGES = {
  C: () =>
    compileProgram(['cc', 'c11', ...SANITIZE, 'conformance/c/conformance.c'], 'sdk/mock_host.c', 'mock-c'),
  'C++': () =>
    compileProgram(
      ['c++', 'c++17', ...SANITIZE, 'conformance/cpp/conformance.cpp', '-xc++'],
      'sdk/mock_host.c',
      'mock-cpp',
    ),
};

describe.each(['C', 'C++'] as const)('%s', (language) => {
  let program = '';
  beforeAll(() => {
    program = LANGUAGES[language]();
  }, BUILD_MS);

  test('every service and every check does what the header says', () => {
    expect(ended(program, [])).toMatchObject({ status: 0, stdout: 'ok\n', stderr: '' });
  });

  test.each(FAILURES)('a check that does not hold ends the test with one line: %s', (argument, line) => {
    const { status, stderr } = ended(program, [argument]);
    expect(stderr).toMatch(/^sdk\/mock_host\.c:\d+: .*\n$/);
    expect(stderr.trimEnd()).toMatch(line);
    expect(status).toBe(1);
  });
});

test(
  'a plugin without an SDK is tested as well, and an answer that is not JSON is found',
  () => {
    const plugin = join(root, 'test/fixtures/plugins/bad_json.c');
    const program = compileProgram(['cc', 'c11', plugin], 'sdk/mock_host_raw.c', 'mock-raw');
    const { status, stderr } = ended(program, []);
    expect(stderr).toMatch(/^sdk\/mock_host_raw\.c:\d+: process_endpoint is not JSON: .*\n$/);
    expect(status).toBe(1);
  },
  BUILD_MS,
);

test.each([
  ['native-sdk/c/README.md', 'c', 'greeter.c', 'greeter_test.c'],
  ['native-sdk/cpp/README.md', 'cpp', 'greeter.cpp', 'greeter_test.cpp'],
])(
  'the unit test of %s passes, and fails for another plugin',
  (page, language, plugin, unit) => {
    const [source = '', check = ''] = codeOf(page, language);
    const directory = authorsDirectory({ [plugin]: source, [unit]: check });
    const command = codeOf(page, 'sh').find((lines) => lines.includes(unit)) ?? '';
    shell(command, directory);
    writeFileSync(join(directory, plugin), source.replaceAll('"max-age=60"', '"max-age=61"'));
    expect(() => shell(command, directory)).toThrow(/cache-control is "max-age=61", expected "max-age=60"/);
  },
  BUILD_MS,
);

test(
  'Rust: the tests of the crate pass, and a failing one names both values',
  () => {
    const rust = join(root, 'native-sdk/rust');
    const env = { ...process.env, CARGO_TARGET_DIR: join(target, 'rust') };
    const args = ['test', '--release', '--quiet', '--package', 'backworks-plugin-sdk', '--tests'];
    run('cargo', args, rust, env);
    const failed = ended('cargo', [...args, '--', '--ignored'], { cwd: rust, env });
    expect(failed.status).toBe(101);
    expect(failed.stdout).toContain('the test has no response for this URL');
    expect(failed.stdout).toMatch(/mock_host\.rs:\d+/);
  },
  BUILD_MS,
);

test(
  'Go: the unit test of the README passes, and failures name the test and the reason',
  () => {
    const env = { ...process.env, GOFLAGS: '-buildvcs=false', GOPROXY: 'off', GOWORK: 'off' };
    const [plugin = '', check = ''] = codeOf('native-sdk/go/README.md', 'go');
    const directory = join(target, 'go/greeter-tested');
    mkdirSync(directory, { recursive: true });
    const module = 'github.com/backworks/backworks/native-sdk/go';
    writeFileSync(
      join(directory, 'go.mod'),
      `module greeter\n\ngo 1.21\n\nrequire ${module} v0.0.0\n\nreplace ${module} => ${goModule}\n`,
    );
    writeFileSync(join(directory, 'greeter.go'), plugin);
    writeFileSync(join(directory, 'greeter_test.go'), check);
    run('go', ['test', './...'], directory, env);
    writeFileSync(join(directory, 'greeter.go'), plugin.replace('"greeting": g.', '"greting": g.'));
    const failed = ended('go', ['test', './...'], { cwd: directory, env });
    expect(failed.status).toBe(1);
    expect(failed.stdout).toMatch(/greeter_test\.go:\d+: got \{"greting":"good day Ada"\}/);

    const failing = { cwd: goModule, env: { ...env, BACKWORKSTEST_FAIL: 'yes' } };
    const { status, stdout } = ended('go', ['test', './backworkstest', '-run', 'Readable'], failing);
    expect(status).toBe(1);
    expect(stdout).toMatch(/host_test\.go:\d+: backworkstest: another test uses a host/);
    expect(stdout).toMatch(/host_test\.go:\d+: the plugin did not start: no such currency/);
  },
  BUILD_MS,
);
