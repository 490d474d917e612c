import { afterAll, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { backworks, scratch } from './command.js';

interface Check {
  name: string;
  outcome: string;
  detail: string;
  hint: string | null;
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
const validate = (...args: string[]) => backworks(['plugin', 'validate', ...args], { cwd: directory.path });

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

test('people read the verdict, who the plugin is, and a line for each check', async () => {
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
  ['initialize_fails', 'initialize with an empty configuration', 'skipped', /no licence for this day/],
])('%s: the check "%s" has %s', async (fixture, name, outcome, detail) => {
  const [report] = await reports(outcome === 'skipped' ? 0 : 4, compilePlugin(fixture));
  expect(report?.checks.find((check) => check.name === name)).toMatchObject({
    outcome,
    detail: expect.stringMatching(detail),
  });
});

const glibc =
  process.platform === 'linux' &&
  'glibcVersionRuntime' in (process.report.getReport() as { header: object }).header;
(glibc ? test : test.skip).each([
  ['heap_overflow', 'crashed', /SIGABRT during process_endpoint at .*(corrupted|invalid)/],
  ['freed_answer', 'failed', /is not (UTF-8|JSON)/],
])('%s, which goes unnoticed in service, is found', async (fixture, outcome, detail) => {
  const [report] = await reports(4, compilePlugin(fixture));
  expect(report?.checks.find(({ name }) => name === 'process_endpoint')).toMatchObject({
    outcome,
    detail: expect.stringMatching(detail),
  });
});

test('one bad library among good ones is 4, and all are reported', async () => {
  const text = directory.write('text.so', 'not a library\n');
  const { code, stdout } = await validate(compilePlugin('echo'), 'text.so', 'missing.so');
  expect(code).toBe(4);
  expect(stdout).toContain(`${text}: invalid\n`);
  expect(stdout).toMatch(/^ {2}✗ failed +file +.*missing\.so/m);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('1 of 3 plugins are valid');
});

test('a plugin that was not run to the end is valid only as far as that', async () => {
  const path = compilePlugin('initialize_fails');
  const { code, stdout } = await validate(path);
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`^${path}: valid as far as it could be checked\n`));
  expect(stdout).toMatch(/^ {2}- skipped initialize/m);
});
