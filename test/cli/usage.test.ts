import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { EXIT } from '../../dist/errors.js';
import { backworks } from './command.js';

test('--version prints the version of the package', async () => {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  expect(await backworks(['--version'])).toEqual({
    code: 0,
    signal: null,
    stdout: `${version}\n`,
    stderr: '',
  });
});

test('--help lists commands and every exit code, on stdout', async () => {
  const { code, stdout, stderr } = await backworks(['--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  for (const word of ['start', 'plugin', 'config', '--config', '--json', 'BACKWORKS_CONFIG']) {
    expect(stdout).toContain(word);
  }
  const listed = [...stdout.matchAll(/^ {2}(\d+) +\S/gm)].map(([, exit]) => Number(exit));
  expect(listed).toEqual([...Object.values(EXIT), 130]);
});

/** Commands for somebody who writes a plugin. */
const AUTHORING = ['call', 'inspect', 'docs', 'install', 'build', 'dev', 'debug'];

test('--help lists every command with one line', async () => {
  const { stdout } = await backworks(['--help']);
  const listed = stdout.slice(stdout.indexOf('\nCommands:\n') + 11, stdout.indexOf('\nExit codes:'));
  const names = listed
    .trimEnd()
    .split('\n')
    .map((line) => /^ {2}((?:plugin |config )?[a-z]+) {2,}\S/.exec(line)?.[1]);
  expect(names).toEqual([
    ...['start', 'reload'],
    ...['new', 'list', 'validate', 'status', 'profile', 'release', 'load', 'unload', 'enable', 'disable'].map(
      (name) => `plugin ${name}`,
    ),
    ...['restart', 'swap', 'rollback', 'history'].map((name) => `plugin ${name}`),
    ...AUTHORING.map((name) => `plugin ${name}`),
    ...['check', 'print', 'diff', 'schema', 'migrate', 'template'].map((name) => `config ${name}`),
    'sdk',
  ]);
});

test.each([[[]], [['plugin']], [['config']]])(
  '%j alone is a usage error that shows its help',
  async (args) => {
    const { code, stdout, stderr } = await backworks(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^Usage: backworks/);
  },
);

test.each([
  [['strt'], "unknown command 'strt'", 'did you mean start?'],
  [['plugin', 'lst'], "unknown command 'lst'", 'did you mean plugin list?'],
  [['validate', 'a.so'], "unknown command 'validate'", 'did you mean plugin validate?'],
  [['plugin', 'list', '--jsn'], "unknown option '--jsn'", 'did you mean --json?'],
  [['frobnicate'], "unknown command 'frobnicate'", 'see backworks --help'],
  [['plugin', 'validate'], "missing required argument 'which'", 'see backworks --help'],
  [['start', '--config'], "option '-c, --config <file>' argument missing", 'see backworks --help'],
])('%j reports the mistake and suggests a similar name', async (args, message, hint) => {
  const text = await backworks(args);
  expect(text).toEqual({ code: 2, signal: null, stdout: '', stderr: `BW_USAGE: ${message} — ${hint}\n` });
});

test('with --json a usage error is a document on stdout', async () => {
  const { code, stdout, stderr } = await backworks(['strt', '--json']);
  expect({ code, stderr }).toEqual({ code: 2, stderr: '' });
  expect(JSON.parse(stdout)).toEqual({
    error: { code: 'BW_USAGE', message: "unknown command 'strt'", hint: 'did you mean start?' },
  });
});

test('--verbose adds the stack trace of an error', async () => {
  const quiet = await backworks(['config', 'check', '/nowhere/backworks.yaml']);
  const verbose = await backworks(['config', 'check', '/nowhere/backworks.yaml', '--verbose']);
  expect(quiet.stderr.trim().split('\n')).toHaveLength(1);
  expect(verbose.stderr).toContain(quiet.stderr.trim());
  expect(verbose.stderr).toMatch(/^caused by: Error: ENOENT/m);
  expect([quiet.code, verbose.code]).toEqual([3, 3]);
});

test.each<[NodeJS.ProcessEnv, boolean]>([
  [{}, false],
  [{ FORCE_COLOR: '1' }, true],
  [{ FORCE_COLOR: '0' }, false],
  [{ NO_COLOR: '1' }, false],
  [{ NO_COLOR: '1', FORCE_COLOR: '0' }, false],
])('a pipe with %j gets colours: %j', async (env, coloured) => {
  const { stderr } = await backworks(['strt'], { env });
  expect(stderr.includes('\u001b[')).toBe(coloured);
});
