import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { RUNNER, VERSION } from './runner-conversation.js';

interface Result {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program to its end. Malformed UTF-8 on a stream is an error here, not replaced. */
function run(...args: string[]): Result {
  const { status, signal, stdout, stderr } = spawnSync(RUNNER, args, { env: {} });
  const decoder = new TextDecoder('utf-8', { fatal: true });
  return { status, signal, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

function described(name: string): unknown {
  const { status, stdout } = run('--describe', compilePlugin(name));
  expect(status).toBe(0);
  expect(stdout.indexOf('\n')).toBe(stdout.length - 1);
  return JSON.parse(stdout);
}

test('prints one line of JSON', () => {
  expect(described('echo')).toEqual({
    name: 'echo',
    version: '1.0.0',
    description: 'Returns what it is given.',
    manifest: null,
    functions: ['before_request', 'after_response', 'process_endpoint'],
    thread_safe: false,
    // Without an extension table, a library names no version.
    abi_version: 0,
  });
});

test('lists functions of the extension table and flags', () => {
  expect(described('answers')).toMatchObject({
    functions: ['process_endpoint', 'free_string', 'call'],
    thread_safe: true,
  });
  expect(described('null_slots')).toMatchObject({ description: '', functions: [], thread_safe: false });
});

test('does not call bind_host and initialize', () => {
  expect(described('refuses_host')).toMatchObject({ name: 'refuses-host' });
  expect(described('initialize_fails')).toMatchObject({
    functions: ['initialize', 'shutdown', 'last_error'],
  });
});

test('turns any text into well-formed JSON in well-formed UTF-8', () => {
  const malformed = [
    [0x61, 0x80],
    [0x62, 0xe2, 0x82],
    [0x63, 0xc0, 0xaf],
    [0x64, 0xed, 0xa0, 0x80],
    [0x65, 0xff, 0xf0, 0x9f, 0x90],
  ];
  expect(described('odd_text')).toEqual({
    name: 'odd "text" \\ \b\t\u001f\u007f',
    version: '1.0.0-ä',
    description: new TextDecoder().decode(Buffer.from(malformed.flat())),
    manifest: '{"author":"B\\u00e4r \\"🐻\\""}\n',
    functions: ['manifest'],
    thread_safe: true,
    abi_version: 1,
  });
});

test('keeps output of the library out of the description', () => {
  const { status, stdout, stderr } = run('--describe', compilePlugin('lifecycle'));
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ name: 'lifecycle' });
  // Neither exit handlers nor destructors run.
  expect(stderr).toBe('constructor\n');
});

test.each([
  ['missing_vtable', 'exports no plugin_vtable()'],
  ['newer_abi', 'it needs plugin ABI 2'],
])('describes %s as an error', (name, text) => {
  const { status, stdout } = run('--describe', compilePlugin(name));
  expect(status).toBe(75);
  expect((JSON.parse(stdout) as { error: string }).error).toContain(text);
});

test('describes a missing file as an error', () => {
  const { status, stdout } = run('--describe', '/nonexistent "plugin".so');
  expect(status).toBe(75);
  expect((JSON.parse(stdout) as { error: string }).error).toContain('/nonexistent "plugin".so');
});

test('prints no description when a constructor crashes', () => {
  const { status, signal, stdout } = run('--describe', compilePlugin('crash_constructor'));
  if (process.env['BACKWORKS_RUNNER'] === undefined) expect(signal).toBe('SIGSEGV');
  expect(status).not.toBe(0);
  expect(stdout).toBe('');
});

test('--version prints the protocol version', () => {
  expect(run('--version')).toMatchObject({ status: 0, stdout: `${VERSION}\n`, stderr: '' });
});

test.each([
  [['--unknown']],
  [['stray']],
  [['--describe']],
  [['--describe', '']],
  [['--parent']],
  [['--parent', '0']],
  [['--parent', '12x']],
  [['--parent', '-5']],
  [['--parent', '99999999999999999999']],
])('rejects the arguments %j', (args) => {
  const { status, stdout, stderr } = run(...args);
  expect([status, stdout]).toEqual([64, '']);
  expect(stderr).toMatch(/^usage: backworks-runner /);
});

test('ends when there is no descriptor 3', () => {
  expect(run().status).toBe(74);
});
