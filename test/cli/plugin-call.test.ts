import { afterAll, expect, test } from '@jest/globals';
import { jsonLines } from '../../dist/cli/terminal/json-lines.js';
import { compilePlugin } from '../fixtures/compile.js';
import { backworks, scratch } from './command.js';

const directory = scratch();
afterAll(() => directory.remove());
const call = (...args: string[]) => backworks(['plugin', 'call', ...args], { cwd: directory.path });

test('before_request: the document, the patch and the document after it, with every digit of a number', async () => {
  directory.write('patch.yaml', 'headers: { x-user: anna }\ncontext: { user: 7 }\n');
  const data = '{"id":12345678901234567890}';
  const args = ['before_request', '--plugin-config', 'patch.yaml', '--data', data, '--header', 'X-Trace: 1'];
  const { code, stdout } = await call('--json', compilePlugin('patches_request'), ...args);
  expect(code).toBe(0);
  const { given, after, answer, ...report } = JSON.parse(stdout) as Record<string, unknown>;
  expect(report).toMatchObject({ ok: true, plugin: 'patches_request', hook: 'before_request', error: null });
  expect(given).toMatchObject({
    method: 'POST',
    headers: { 'x-trace': '1', 'content-type': 'application/json' },
    body_encoding: 'json',
  });
  expect(answer).toEqual({ headers: { 'x-user': 'anna' }, context: { user: 7 } });
  expect(after).toMatchObject({ headers: { 'x-trace': '1', 'x-user': 'anna' }, context: { user: 7 } });
  expect(stdout.split(data)).toHaveLength(3);
});

test('the report shows which lines of the document the patch changes', async () => {
  directory.write('header.yaml', 'headers: { x-user: anna }\n');
  const options = ['--plugin-config', 'header.yaml', '--context', '{"before":1}'];
  const { code, stdout } = await call(compilePlugin('patches_request'), 'before_request', ...options);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^patches_request 1\.0\.0: answered in \d+\.\d\d ms/);
  expect(stdout).toContain('\n  -  "headers": {},\n  +  "headers": {\n  +    "x-user": "anna"\n  +  },\n');
  expect(stdout).toContain('      "before": 1\n');
});

test('process_endpoint gets the route and its params; log lines and counters of the plugin are shown', async () => {
  const options = ['--path', '/hello/Z%C3%BCrich?a=1', '--route', '/hello/{city}'];
  const { code, stdout } = await call(compilePlugin('host_services'), 'process_endpoint', ...options);
  expect(code).toBe(0);
  expect(stdout).toContain('given to process_endpoint("/hello/{city}", "GET")\n');
  expect(stdout).toContain('      "city": "Zürich"\n');
  expect(stdout).toMatch(/^log\n {2}warn log {2}said through the host\nmetrics\n {2}greetings \+2\n/m);
});

test('a crash prints the error, the function and stderr, and the exit code is 4', async () => {
  const plugin = compilePlugin('operated');
  const { code, stdout } = await call(plugin, 'process_endpoint', '--path', '/crash');
  expect(code).toBe(4);
  expect(stdout).toMatch(/^operated 1\.0\.0: failed/);
  expect(stdout).toMatch(
    /^ {2}BW_PLUGIN_CRASHED: plugin operated crashed with SIGSEGV during process_endpoint/m,
  );
  expect(stdout).toMatch(/^ {2}at stumble \(\S+operated\.c:\d+\)\n {2}at process_endpoint \(/m);
  expect(stdout).toContain('  | about to stumble\n');
  const refused = await call('--json', compilePlugin('initialize_fails'), 'before_request');
  expect(refused.code).toBe(4);
  expect(JSON.parse(refused.stdout)).toMatchObject({
    ok: false,
    given: null,
    error: { code: 'BW_PLUGIN_INITIALIZE', phase: 'initialize' },
  });
});

test('a configured plugin runs with its entry, and after_response gets a response', async () => {
  const file = directory.write(
    'backworks.yaml',
    `plugins: { stamp: { path: ${compilePlugin('patches_response')}, config: { status: 418, body: tea } } }\n`,
  );
  const options = ['--config', file, '--status', '404', '--data', 'no', '--json'];
  const { code, stdout } = await call('stamp', 'after_response', ...options);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    plugin: 'stamp',
    given: { status: 404, body: 'no', headers: { 'content-type': 'text/plain; charset=utf-8' } },
    after: { status: 418, body: 'tea' },
  });
});

test('an operation is called by its name; mistakes in the arguments are named', async () => {
  const doubles = compilePlugin('doubles');
  const { code, stdout } = await call('--json', doubles, 'operation', 'peer.double', '--data', '{"n":21}');
  expect({ code, report: JSON.parse(stdout) as unknown }).toMatchObject({
    code: 0,
    report: { hook: 'operation', operation: 'peer.double', given: { n: 21 }, answer: { n: 42 } },
  });
  expect(await call(doubles, 'operation', 'nothing')).toMatchObject({
    code: 2,
    stderr: 'BW_USAGE: plugin peer has no operation "nothing" — its capabilities: peer.double\n',
  });
  expect((await call(doubles, 'on_request')).stderr).toMatch(
    /^BW_USAGE: "on_request" is not a hook — give one of before_request, process_endpoint, after_response/,
  );
  const missing = await call(doubles, 'operation', 'peer.double', '--data', '@none.json');
  expect(missing).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^BW_USAGE: none\.json cannot be read \(ENOENT\)/),
  });
});

test('JSON is indented without a change to its values', () => {
  const text = String.raw`{"a":[1.50,{"b":"x\"{,"}],"c":{},"d":[ ],"a":null}`;
  const lines = jsonLines(text);
  expect(lines).toEqual([
    '{',
    '  "a": [',
    '    1.50,',
    '    {',
    String.raw`      "b": "x\"{,"`,
    '    }',
    '  ],',
    '  "c": {},',
    '  "d": [],',
    '  "a": null',
    '}',
  ]);
});
