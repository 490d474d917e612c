/** `config print`, `config diff`, `config schema`, and the precedence of settings. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { backworks, scratch } from './command.js';

const FILE = `server: { port: 1000 }
admin: { token: "\${ADMIN_TOKEN:-}" }
plugins:
  weather: { path: ./w.so }
environments:
  production:
    server: { port: 2000 }
  staging:
    server: { port: 3000 }
    plugins: { clock: { path: ./c.so } }
`;
/** A plugin whose configuration has numbers that JavaScript rounds and keys that JavaScript reorders. */
function digits(id: string): string {
  return `plugins: { p: { path: ./p.so, config: { one: 1.0, "2": ${id}, "1": "\${SECRET:-}" } } }\n`;
}

const directory = scratch({
  'backworks.yaml': FILE,
  'other.yaml': 'server: { port: 9 }\n',
  'digits.yaml': digits('12345678901234567890'),
  'digits-next.yaml': digits('12345678901234567891'),
  'at@production': 'server: { port: 10 }\n',
});
afterAll(() => directory.remove());
const cwd = directory.path;
const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}) => backworks(args, { cwd, env });

interface Printed {
  readonly file: string;
  readonly environment: string | null;
  readonly config: { readonly server: { readonly port: number } };
  readonly origins: Readonly<Record<string, object>>;
}

async function printed(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Printed> {
  const { code, stdout, stderr } = await run(['config', 'print', '--json', '--origin', ...args], env);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Printed;
}

describe('precedence of settings:', () => {
  const FLAG = ['--set', 'server.port=5000'];
  const VARIABLE = { BACKWORKS_SET: '\n  server.port=4000\n\nname=n' };
  const OVERLAY = { BACKWORKS_ENV: 'staging' };
  const file = join(cwd, 'backworks.yaml');
  const shown = 'backworks.yaml';

  test.each<[string, string[], NodeJS.ProcessEnv, number, object]>([
    [
      'the last flag',
      ['--set', 'server.port=1', ...FLAG, '--env', 'production'],
      { ...VARIABLE, ...OVERLAY },
      5000,
      { from: 'flag', flag: '--set' },
    ],
    [
      'then the variable',
      [],
      { ...VARIABLE, ...OVERLAY },
      4000,
      { from: 'variable', variable: 'BACKWORKS_SET' },
    ],
    [
      'then the overlay',
      [],
      { ...OVERLAY, BACKWORKS_SET: '' },
      3000,
      { from: 'environment', environment: 'staging', file: shown, line: 9, column: 21 },
    ],
    ['then the file', [], { BACKWORKS_ENV: '' }, 1000, { from: 'file', file: shown, line: 1, column: 17 }],
    ['then the default', ['--set', 'server.port=~'], OVERLAY, 8080, { from: 'default' }],
  ])('%s', async (_, args, env, port, origin) => {
    const { config, origins } = await printed(args, env);
    expect([config.server.port, origins['server.port']]).toEqual([port, origin]);
  });

  test('--env before BACKWORKS_ENV', async () => {
    const { environment, config } = await printed(['--env', 'production'], OVERLAY);
    expect([environment, config.server.port]).toEqual(['production', 2000]);
    expect(await printed([], OVERLAY)).toMatchObject({ file, environment: 'staging' });
    expect(await printed([])).toMatchObject({ environment: null });
  });

  test('the argument, --config, BACKWORKS_CONFIG, the directory’s own', async () => {
    const env = { BACKWORKS_CONFIG: 'at@production' };
    expect((await printed(['other.yaml', '--config', 'backworks.yaml'], env)).config.server.port).toBe(9);
    expect((await printed(['--config', 'other.yaml'], env)).config.server.port).toBe(9);
    expect((await printed([], env)).config.server.port).toBe(10);
    expect((await printed([])).config.server.port).toBe(1000);
  });
});

test('config print prints YAML, with --origin where each value came from', async () => {
  const env = { ADMIN_TOKEN: 'hunter2' };
  const plain = await run(['config', 'print', '--env', 'production'], env);
  expect(plain).toMatchObject({ code: 0, stderr: '' });
  expect(plain.stdout).toMatch(/^server:\n {2}host: 127\.0\.0\.1\n {2}port: 2000\n/m);
  const { stdout } = await run(['config', 'print', '--env', 'production', '--origin'], env);
  for (const line of [
    '  host: 127.0.0.1 # default',
    '  port: 2000 # environment production backworks.yaml:7:21',
    '  token: "${ADMIN_TOKEN:-}" # variable ADMIN_TOKEN, backworks.yaml:2:17',
  ]) {
    expect(stdout.split('\n')).toContain(line);
  }
  expect(plain.stdout + stdout).not.toContain('hunter2');
});

test('config print keeps the digits and the order of the file', async () => {
  const yaml = await run(['config', 'print', 'digits.yaml']);
  expect(yaml.stdout).toContain(
    '    config:\n      one: 1.0\n      "2": 12345678901234567890\n      "1": "${SECRET:-}"\n',
  );
  const json = await run(['config', 'print', '--json', 'digits.yaml']);
  expect(json.stdout).toContain('"config":{"one":1.0,"2":12345678901234567890,"1":"${SECRET:-}"}');
});

test('config diff distinguishes numbers that are equal in JavaScript', async () => {
  const { code, stdout } = await run(['config', 'diff', 'digits.yaml', 'digits-next.yaml']);
  expect(stdout).toContain('plugins.p.config[2]: "12345678901234567890" → "12345678901234567891"');
  expect(code).not.toBe(0);
});

test('config print and diff report problems like config check', async () => {
  const message =
    /^BW_CONFIG_INVALID: backworks\.yaml:5:1: environments: no environment is called "prod": .* — did you mean "production"\?\n$/;
  for (const args of [
    ['print', '--env', 'prod'],
    ['diff', '@', '@prod'],
  ]) {
    const { code, stdout, stderr } = await run(['config', ...args]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(message);
  }
  const { code, stdout } = await run(['config', 'print', '--json', '--set', 'server.prot=1']);
  expect(code).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({
    error: {
      problems: [
        { file: '--set', line: null, column: null, path: 'server.prot', hint: 'did you mean "port"?' },
      ],
    },
  });
});

describe('config diff', () => {
  test('compares two environments of one file', async () => {
    expect(await run(['config', 'diff', '@production', '@staging'])).toMatchObject({
      code: 1,
      stdout: '~ server.port: 2000 → 3000\n+ plugins.clock: {"path":"./c.so"}\n',
      stderr: '',
    });
  });

  test('compares two files, and a file with an environment', async () => {
    const { code, stdout } = await run(['config', 'diff', 'backworks.yaml', 'other.yaml', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      from: { file: join(cwd, 'backworks.yaml'), environment: null },
      to: { file: join(cwd, 'other.yaml'), environment: null },
      differences: [
        { path: 'server.port', change: 'changed', from: 1000, to: 9, hidden: false },
        { path: 'plugins.weather', change: 'removed', from: { path: './w.so' }, to: null, hidden: false },
      ],
    });
    const more = await run(['config', 'diff', 'other.yaml', 'backworks.yaml@production']);
    expect(more.stdout).toContain('~ server.port: 9 → 2000\n');
  });

  test('exits with 0 when there is no difference', async () => {
    expect(await run(['config', 'diff', '@', 'backworks.yaml'])).toMatchObject({
      code: 0,
      stdout: 'no differences\n',
    });
    const set = await run(['config', 'diff', '@', '@production', '--set', 'server.port=1', '--json']);
    expect([set.code, JSON.parse(set.stdout)]).toMatchObject([0, { differences: [] }]);
  });

  test('a side without @ uses the environment of --env, and a side that ends with @ uses none', async () => {
    const { stdout } = await run(['config', 'diff', 'backworks.yaml', '@', '--env', 'production']);
    expect(stdout).toBe('~ server.port: 2000 → 1000\n');
  });

  test('a file may have an @ in its name', async () => {
    const { stdout } = await run(['config', 'diff', 'other.yaml', 'at@production']);
    expect(stdout).toBe('~ server.port: 9 → 10\n');
  });
});

test('config schema prints the schema', async () => {
  const { code, stdout } = await run(['config', 'schema']);
  expect(code).toBe(0);
  expect(stdout).toBe(readFileSync(new URL('../../schema/backworks.v1.json', import.meta.url), 'utf8'));
});

test('config check names the environment, and start rejects an unknown one', async () => {
  expect((await run(['config', 'check', '--env', 'staging'])).stdout).toBe(
    'ok: backworks.yaml@staging: 0 endpoints, 2 plugins\n',
  );
  const start = await run(['start'], { BACKWORKS_ENV: 'nowhere' });
  expect(start.code).toBe(3);
  expect(start.stderr).toContain('no environment is called "nowhere": the file has production, staging');
});
