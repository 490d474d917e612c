/** What `plugin validate` prints and writes. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, expect, test } from '@jest/globals';
import { findProgram } from '../../dist/native/binaries.js';
import { backworks, scratch } from '../cli/command.js';
import { compilePlugin } from '../fixtures/compile.js';

interface Check {
  readonly name: string;
  readonly outcome: string;
  readonly detail: string;
  readonly input: { readonly function: string; readonly document: string; readonly alone: boolean } | null;
}
interface Output {
  readonly ok: boolean;
  readonly plugins: readonly {
    readonly checks: readonly Check[];
    readonly evidence: Record<string, unknown>;
  }[];
}

const directory = scratch();
afterAll(() => directory.remove());
const validate = (...args: string[]) => backworks(['plugin', 'validate', ...args], { cwd: directory.path });

const schema = new URL('../../schema/validation-report.v1.json', import.meta.url);
const matches = new Ajv({ allErrors: true, strict: false }).compile<Output>(
  JSON.parse(readFileSync(schema, 'utf8')) as object,
);

async function report(...args: string[]): Promise<{ readonly code: number | null; readonly output: Output }> {
  const { code, stdout } = await validate('--json', ...args);
  const output: unknown = JSON.parse(stdout);
  if (!matches(output)) throw new Error(JSON.stringify(matches.errors));
  return { code, output };
}

test('reports of valid, invalid, unchecked and missing libraries match the published schema', async () => {
  const libraries = ['echo', 'crash_segv', 'needs_config', 'defects/opens_file_of_request'];
  const { output } = await report('--quick', ...libraries.map((name) => compilePlugin(name)), 'missing.so');
  const verdicts = output.plugins.map(({ evidence }) => evidence['verdict']);
  expect(verdicts).toEqual(['valid', 'invalid', 'unchecked', 'invalid', 'invalid']);
  expect(output.plugins[3]?.evidence).toMatchObject({
    scope: 'quick',
    findings: 1,
    touched: [{ permission: 'filesystem.read', object: '/var/lib/', requested: false }],
  });
});

test('system calls are recorded, and compared with what the configuration grants and the manifest asks for', async () => {
  const [library, path] = [compilePlugin('defects/writes_file'), '/var/tmp/plugin.log'];
  directory.write(
    'granted.yaml',
    `plugins: { writes-file: { path: '${library}', permissions: { filesystem: { write: [/var/tmp] } } } }\n`,
  );
  const { output } = await report('--config', 'granted.yaml', 'writes-file', '--cases', '10');
  const [plugin] = output.plugins;
  if (findProgram('strace') === null) {
    expect(plugin?.evidence['system_calls']).toBeNull();
    return;
  }
  expect(plugin?.evidence['system_calls']).toMatchObject({
    calls: expect.arrayContaining(['openat']),
    files: [{ path, access: 'write', result: 'done' }],
    sockets: [],
  });
  expect(plugin?.checks.find(({ name }) => name === 'system calls')).toMatchObject({
    outcome: 'warning',
    detail: `it uses what the configuration grants and its manifest does not ask for: filesystem.write ${path}`,
  });
});

test('a check that needs a program which is missing is unavailable, and fails with --strict', async () => {
  const path = compilePlugin('echo');
  const env = { ...process.env, PATH: directory.path };
  const args = ['plugin', 'validate', '--json', '--without-sandbox', '--cases', '10', path];
  const { code, stdout } = await backworks(args, { cwd: directory.path, env });
  const { checks = [], evidence } = (JSON.parse(stdout) as Output).plugins[0] ?? {};
  const missing = checks.filter(({ outcome }) => outcome === 'unavailable');
  expect(missing.map(({ name, detail }) => `${name}: ${detail}`)).toEqual([
    'system calls: not recorded: strace is not installed',
    'memory: not checked: valgrind is not installed',
  ]);
  expect(evidence).toMatchObject({ verdict: 'valid', system_calls: null });
  expect(code).toBe(0);
  expect(await backworks([...args, '--strict'], { cwd: directory.path, env })).toMatchObject({ code: 4 });
});

test('two validations of the same library with the same seed have the same evidence, and name the same input', async () => {
  const path = compilePlugin('defects/crash_on_rare_member');
  const [first, second] = [await report(path, '--seed', '7'), await report(path, '--seed', '7')];
  expect(first.output.plugins[0]?.evidence).toEqual(second.output.plugins[0]?.evidence);
  expect(first.output.plugins[0]?.evidence).toMatchObject({
    library: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/), name: 'crash-on-rare-member' },
    fuzz: { seed: 7, cases: 1000, seconds: null },
    verdict: 'invalid',
    findings: 1,
  });
  const inputs = [first, second].map(({ output }) => {
    const found = output.plugins[0]?.checks.find(({ outcome }) => outcome === 'crashed');
    expect(found).toMatchObject({ name: 'process_endpoint: fuzz', input: { alone: true } });
    return found?.input?.document;
  });
  expect(inputs[0]).toBe(inputs[1]);
  // The smallest body that still crashes has nothing but the member.
  const { body } = JSON.parse(inputs[0] ?? '') as { body: object };
  expect(Object.keys(body)).toEqual(['discount_percent']);
}, 60_000);

test('--save-input writes the input, and the printed command makes the same call', async () => {
  const path = compilePlugin('defects/crash_on_empty_object');
  const { code, stdout } = await validate(path, '--cases', '0', '--save-input', 'found');
  expect(code).toBe(4);
  const [file = ''] = readdirSync(join(directory.path, 'found')).filter((name) => name.endsWith('.json'));
  expect(file).toBe('crash-on-empty-object-process_endpoint-empty.json');
  expect(readFileSync(join(directory.path, 'found', file), 'utf8')).toContain('"body":{}');
  const command = /^ *backworks (plugin call .*)$/m.exec(stdout)?.[1] ?? '';
  const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
  const call = await backworks(words, { cwd: directory.path });
  expect(call.stdout + call.stderr).toMatch(/SIGSEGV/);
}, 60_000);

test('--strict makes a failure of each check that was skipped', async () => {
  const path = compilePlugin('needs_config');
  directory.write('good.yaml', 'mode: good\n');
  const args = [path, '--quick', '--plugin-config', 'good.yaml', '--strict'];
  expect(await validate(...args)).toMatchObject({ code: 0 });
  const counts = async (...more: string[]): Promise<string | undefined> => {
    expect(await validate('--quick', path, '--junit', 'strict.xml', ...more)).toMatchObject({ code: 4 });
    const xml = readFileSync(join(directory.path, 'strict.xml'), 'utf8');
    return /failures="\d+" errors="0" skipped="\d+"/.exec(xml)?.[0];
  };
  expect(await counts()).toBe('failures="0" errors="0" skipped="2"');
  expect(await counts('--strict')).toBe('failures="2" errors="0" skipped="0"');
}, 60_000);

test('--junit writes a suite for each plugin and a case for each check', async () => {
  const { code } = await validate(
    '--quick',
    compilePlugin('echo'),
    compilePlugin('crash_segv'),
    '--junit',
    'j.xml',
  );
  expect(code).toBe(4);
  expect(existsSync(join(directory.path, 'j.xml'))).toBe(true);
  const xml = readFileSync(join(directory.path, 'j.xml'), 'utf8');
  const suites = [
    ...xml.matchAll(/<testsuite name="([^"]*)".* tests="(\d+)" failures="(\d+)" errors="0" skipped="(\d+)"/g),
  ];
  expect(suites.map(([, name, , failures, skipped]) => [name, failures, skipped])).toEqual([
    ['echo 1.0.0', '0', '0'],
    ['crash-segv 1.0.0', '1', '1'],
  ]);
  expect(xml.match(/<testcase /g)).toHaveLength(suites.reduce((sum, [, , tests]) => sum + Number(tests), 0));
  expect(xml).toMatch(
    /<testcase name="process_endpoint".*>\n *<failure type="crashed" message="[^"]*SIGSEGV/,
  );
});

test.each([
  [['--seconds', '0'], /^BW_USAGE: --seconds expects a whole number from 1/],
  [['--cases', 'many'], /^BW_USAGE: --cases expects a whole number/],
  [['--seed', '-1'], /^BW_USAGE: --seed expects a whole number from 0/],
  [['--seconds', '1', '--cases', '1'], /^BW_USAGE: --seconds and --cases/],
  [['--quick', '--without-sandbox'], /^BW_USAGE: --quick runs no valgrind/],
  [['--quick', '--cases', '1'], /^BW_USAGE: --quick makes no random input/],
])('%j is refused', async (args, message) => {
  const { code, stderr } = await validate('any.so', ...args);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
});
