import { afterAll, expect, test } from '@jest/globals';
import { chmodSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { backworks, scratch } from './command.js';

const OLD = `# weather
plugin_discovery: { enabled: false, recursive: true }
endpoints:
  /hello:
    method: GET
    response: { status: 200, body: hi }
`;
const NEW = `# weather
config_version: 1
endpoints:
  hello:
    path: /hello
    methods: [ GET ]
    response: { status: 200, body: hi }
# not migrated (line 2): subdirectories are not searched; list each of them
# recursive: true
plugins:
  auto_discover: { enabled: false }
`;
const directory = scratch();
afterAll(() => directory.remove());
const cwd = directory.path;
const migrate = (...args: string[]) => backworks(['config', 'migrate', ...args], { cwd });
const read = (name: string) => readFileSync(join(cwd, name), 'utf8');

test('without --write, the difference is shown and nothing is written', async () => {
  directory.write('shown.yaml', OLD);
  const { code, stdout, stderr } = await migrate('shown.yaml');
  expect(code).toBe(0);
  expect(stdout).toContain('--- shown.yaml');
  expect(stdout).toContain('\n-  /hello:\n-    method: GET\n');
  expect(stdout).toContain('\n+    path: /hello\n');
  expect(stderr).toBe(
    'warning: shown.yaml:2: recursive: subdirectories are not searched; list each of them\n' +
      'from version 0 to 1; pass --write to change the file\n',
  );
  expect(read('shown.yaml')).toBe(OLD);
});

test('--write replaces the file, keeps a copy and the mode, and does nothing the second time', async () => {
  const file = directory.write('written.yaml', OLD);
  chmodSync(file, 0o640);
  symlinkSync('written.yaml', join(cwd, 'link.yaml'));
  directory.write('written.yaml.v0.bak', 'an earlier copy');
  const { code, stdout } = await migrate('link.yaml', '--write');
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: 'ok: link.yaml has version 1; backup: written.yaml.v0.2.bak\n',
  });
  expect(read('written.yaml')).toBe(NEW);
  expect(read('written.yaml.v0.2.bak')).toBe(OLD);
  expect(read('written.yaml.v0.bak')).toBe('an earlier copy');
  expect(statSync(file).mode & 0o777).toBe(0o640);
  expect(lstatSync(join(cwd, 'link.yaml')).isSymbolicLink()).toBe(true);
  expect(readdirSync(cwd).filter((name) => name.endsWith('.draft'))).toEqual([]);

  expect((await migrate('written.yaml', '--write')).stdout).toBe('ok: written.yaml has version 1\n');
  expect((await backworks(['config', 'check', 'written.yaml'], { cwd })).code).toBe(0);
});

test('--json prints the whole result', async () => {
  const file = directory.write('json.yaml', OLD);
  const { stdout } = await migrate('json.yaml', '--json');
  expect(JSON.parse(stdout)).toEqual({
    file,
    from: 0,
    to: 1,
    changed: true,
    written: false,
    backup: null,
    notes: [{ line: 2, message: 'recursive: subdirectories are not searched; list each of them' }],
    patch: expect.stringContaining('+config_version: 1\n') as unknown,
  });
});

test('check and start suggest config migrate for an old file', async () => {
  directory.write('old.yaml', OLD);
  const hint = /old\.yaml:2:1: plugin_discovery: .*version 0.* — run: backworks config migrate old\.yaml/;
  const checked = await backworks(['config', 'check', 'old.yaml'], { cwd });
  expect({ code: checked.code, said: checked.stdout }).toEqual({
    code: 3,
    said: expect.stringMatching(hint),
  });
  const started = await backworks(['start', '--config', 'old.yaml'], { cwd });
  expect({ code: started.code, said: started.stderr }).toEqual({
    code: 3,
    said: expect.stringMatching(hint),
  });
});

test('wrong versions are usage errors', async () => {
  directory.write('newer.yaml', 'config_version: 3\n');
  expect(await migrate('newer.yaml')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /^BW_USAGE: newer\.yaml has version 3; .* — use a newer Backworks/,
    ) as unknown,
  });
  directory.write('old2.yaml', OLD);
  for (const to of ['9', '-1', 'x']) expect((await migrate('old2.yaml', '--to', to)).code).toBe(2);
  expect((await migrate('old2.yaml', '--to', '0')).stdout).toBe('ok: old2.yaml has version 0\n');
});
