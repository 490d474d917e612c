import { expect, test } from '@jest/globals';
import { readableLine } from '../../dist/cli/terminal/log-line.js';

const plain = { style: (_style: unknown, text: string) => text };
const time = new Date(2026, 0, 2, 3, 4, 5, 67).toISOString();

test('a record is one line: local time, level, message, fields', () => {
  const record = {
    level: 'info',
    time,
    msg: 'ready',
    plugin: 'weather',
    calls: 3,
    text: 'two words',
    empty: '',
  };
  expect(readableLine(record, plain)).toBe(
    '03:04:05.067 info  ready plugin=weather calls=3 text="two words" empty=""\n',
  );
});

test('the further lines of a message are indented', () => {
  expect(readableLine({ level: 'warn', time, msg: 'one\ntwo' }, plain)).toBe(
    '03:04:05.067 warn  one\n    two\n',
  );
});

test('the stack of an error is indented below its line', () => {
  const err = { type: 'Error', message: 'no', stack: 'Error: no\n    at here' };
  expect(readableLine({ level: 'error', time, msg: 'failed', err }, plain)).toBe(
    '03:04:05.067 error failed\n    Error: no\n        at here\n',
  );
  expect(readableLine({ level: 'error', time, msg: 'failed', err: { message: 'no' } }, plain)).toBe(
    '03:04:05.067 error failed\n    no\n',
  );
});

test('control characters from a plugin do not reach the terminal', () => {
  const record = { level: 'warn', time, msg: '\u001b]0;owned\u0007', 'k\u001b': '\u009b2J' };
  const line = readableLine(record, plain);
  expect(line).toBe('03:04:05.067 warn  \\x1b]0;owned\\x07 k\\x1b=\\x9b2J\n');
});
