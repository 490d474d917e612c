import { afterAll, expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compilePlugin } from '../fixtures/compile.js';
import { backworks, scratch } from './command.js';

interface Check {
  name: string;
  outcome: string;
  detail: string;
  hint: string | null;
  stderr: string[];
  duration_ms: number;
}
interface Report {
  path: string;
  ok: boolean;
  checks: Check[];
  metadata: Record<string, unknown> | null;
}

const directory = scratch();
afterAll(() => directory.remove());
const validate = (...args: string[]) =>
  backworks(['plugin', 'validate', '--quick', ...args], { cwd: directory.path });

async function reports(exit: number, ...paths: string[]): Promise<Report[]> {
  const { code, stdout } = await validate('--json', ...paths);
  expect(code).toBe(exit);
  const { ok, plugins } = JSON.parse(stdout) as { ok: boolean; plugins: Report[] };
  expect(ok).toBe(exit === 0);
  return plugins;
}

test('a good plugin passes every check and the exit code is 0', async () => {
  const path = compilePlugin('echo');
  const [report] = await reports(0, path);
  expect(report).toMatchObject({
    path,
    ok: true,
    metadata: {
      name: 'echo',
      version: '1.0.0',
      description: 'Returns what it is given.',
      hooks: ['before_request', 'process_endpoint', 'after_response'],
    },
  });
  expect(new Set(report?.checks.map(({ outcome }) => outcome))).toEqual(new Set(['passed']));
  expect(report?.checks.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['file', 'load and describe', 'before_request', 'shutdown']),
  );
  for (const { duration_ms } of report?.checks ?? []) expect(duration_ms).toBeGreaterThanOrEqual(0);
});

test('the report has the verdict, the name of the plugin, and a line for each check', async () => {
  const path = compilePlugin('echo');
  const { code, stdout, stderr } = await validate(path);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout.trimEnd().split('\n');
  expect(lines.slice(0, 2)).toEqual([`${path}: valid`, '  echo 1.0.0: Returns what it is given.']);
  expect(stdout).toMatch(/^ {2}✓ passed +before_request +a usable answer \(\d+\.\d ms\)$/m);
});

test.each([
  ['crash_segv', 'process_endpoint', 'crashed', /SIGSEGV/],
  ['crash_constructor', 'load and describe', 'crashed', /SIGSEGV/],
  ['exit_zero', 'process_endpoint', 'crashed', /exit/],
  ['bad_json', 'process_endpoint', 'failed', /not JSON/],
  ['missing_vtable', 'file', 'failed', /plugin_vtable/],
  ['hang', 'process_endpoint', 'timeout', /did not answer process_endpoint within/],
  ['hang_constructor', 'load and describe', 'timeout', /did not finish loading/],
  ['initialize_fails', 'initialize with an empty configuration', 'skipped', /no licence for today/],
])('%s: the check "%s" has %s', async (fixture, name, outcome, detail) => {
  const [report] = await reports(4, compilePlugin(fixture));
  expect(report?.checks.find((check) => check.name === name)).toMatchObject({
    outcome,
    detail: expect.stringMatching(detail),
  });
});

test('a plugin that denies requests and is not critical gets a warning, and none when it is critical', async () => {
  const warning = { name: 'critical', outcome: 'warning', detail: expect.stringContaining('answers 401') };
  const path = compilePlugin('denies');
  const [report] = await reports(0, path);
  expect(report?.checks).toContainEqual(expect.objectContaining(warning));
  const file = join(directory.path, 'critical.yaml');
  writeFileSync(file, `plugins: { keys: { path: ${path}, critical: true } }`);
  const [configured] = await reports(0, '--config', file, 'keys');
  expect(configured?.checks.map(({ name }) => name)).not.toContain('critical');
});

const glibc =
  process.platform === 'linux' &&
  'glibcVersionRuntime' in (process.report.getReport() as { header: object }).header;
(glibc ? test : test.skip).each([
  ['heap_overflow', 'crashed', /SIGABRT during process_endpoint at /, [/corrupted|invalid/]],
  ['freed_answer', 'failed', /is not (UTF-8|JSON)/, []],
])('validate finds %s, which a server does not notice', async (fixture, outcome, detail, stderr) => {
  const [report] = await reports(4, compilePlugin(fixture));
  expect(report?.checks.find(({ name }) => name === 'process_endpoint')).toMatchObject({
    outcome,
    detail: expect.stringMatching(detail),
    stderr: stderr.map((line) => expect.stringMatching(line)),
  });
});

test('one invalid library among valid ones exits with 4, and all are reported', async () => {
  const text = directory.write('text.so', 'not a library\n');
  const { code, stdout } = await validate(compilePlugin('echo'), 'text.so', 'missing.so');
  expect(code).toBe(4);
  expect(stdout).toContain(`${text}: invalid\n`);
  expect(stdout).toMatch(/^ {2}✗ failed +file +.*missing\.so/m);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('1 of 3 plugins are valid');
});

test('a plugin that refuses an empty configuration is neither valid nor invalid, and the exit code is 4', async () => {
  const path = compilePlugin('needs_config');
  const { code, stdout } = await validate(path);
  expect(code).toBe(4);
  expect(stdout).toContain(`${path}: not checked: the plugin did not start, so no hook was called\n`);
  expect(stdout).toMatch(/^ {2}- skipped initialize with an empty configuration .*\n {4}.*--plugin-config/m);
  expect(stdout).toMatch(/^ {2}- skipped process_endpoint +not called/m);
});

test.each([
  ['YAML', 'mode.yaml', 'mode: "${MODE}"\n'],
  ['JSON', 'mode.json', '{"mode":"${MODE}"}'],
])(
  '--plugin-config gives a plugin its configuration as %s, so that its hooks are called',
  async (_kind, name, text) => {
    directory.write(name, text);
    const args = ['plugin', 'validate', '--quick', compilePlugin('needs_config'), '--plugin-config', name];
    const { code, stdout } = await backworks(args, { cwd: directory.path, env: { MODE: 'good' } });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}✓ passed +initialize /m);
    expect(stdout).toMatch(/^ {2}✓ passed +process_endpoint +a usable answer/m);
  },
);

test('a configuration that the plugin rejects is invalid, and an unreadable file is named', async () => {
  directory.write('empty.yaml', '{}\n');
  const refused = await validate(compilePlugin('needs_config'), '--plugin-config', 'empty.yaml');
  expect(refused.code).toBe(4);
  expect(refused.stdout).toMatch(/: invalid\n/);
  const missing = await validate(compilePlugin('needs_config'), '--plugin-config', 'none.yaml');
  expect(missing).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/^BW_CONFIG_NOT_FOUND: .*none\.yaml/),
  });
  directory.write('list.yaml', '- 1\n');
  const list = await validate(compilePlugin('needs_config'), '--plugin-config', 'list.yaml');
  expect(list).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/^BW_CONFIG_INVALID: list\.yaml:1:1: .*mapping/),
  });
});

test('a configured plugin is validated with its own settings', async () => {
  const path = compilePlugin('needs_config');
  const file = directory.write(
    'plugins.yaml',
    `plugins: { good: { path: ${path}, config: { mode: good } }, bad: { path: ${path}, config: { mode: crash } } }\n`,
  );
  expect(await validate('--config', file, 'good')).toMatchObject({ code: 0 });
  const bad = await validate('--config', file, 'bad');
  expect(bad.code).toBe(4);
  expect(bad.stdout).toMatch(/^ {2}✗ crashed process_endpoint +plugin bad crashed with SIGABRT/m);
  const unknown = await validate('--config', file, 'other');
  expect(unknown.stderr).toMatch(/^BW_PLUGIN_UNKNOWN: no plugin is named "other" — known plugins: good, bad/);
});

test('the report shows every line of stderr that the plugin wrote before a crash', async () => {
  directory.write('crash.yaml', 'mode: crash\n');
  const { stdout } = await validate(compilePlugin('needs_config'), '--plugin-config', 'crash.yaml');
  expect(stdout).toContain('    | the table of cities is empty\n    | stack of thread 1\n    | frame 0\n');
});

test('a version that is not a semantic version is a warning', async () => {
  directory.write('good.yaml', 'mode: good\n');
  const { code, stdout } = await validate(compilePlugin('needs_config'), '--plugin-config', 'good.yaml');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ {2}! warning version +"version one" is not a semantic version/m);
});

test('output of a plugin cannot forge lines of the report', async () => {
  directory.write('refuse.yaml', 'refuse: true\n');
  const path = compilePlugin('forged_line');
  for (const more of [[], ['--plugin-config', 'refuse.yaml']]) {
    const { stdout } = await validate(path, ...more);
    // eslint-disable-next-line no-control-regex -- control characters are what must not be there
    expect(stdout).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u0080-\u009f\u2028\u2029]/);
    expect(stdout).not.toMatch(/^\s*(✓ passed +forged|ok: forged)/m);
    expect(stdout).toContain('Good.\\n ✓ passed forged\\r\\u2028 ✓ passed');
  }
});
