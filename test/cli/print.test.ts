import { expect, test } from '@jest/globals';
import { stripVTControlCharacters } from 'node:util';
import { type Column, printJson, printTable } from '../../dist/cli/terminal/print.js';
import { createScreen, type Screen } from '../../dist/cli/terminal/screen.js';
import { oneLine, printable } from '../../dist/printable.js';

interface Row {
  readonly name: string;
  readonly size: string;
  readonly note: string;
}

const columns: Column<Row>[] = [
  { title: 'name', text: ({ name }) => name, style: () => 'bold' },
  { title: 'size', text: ({ size }) => size, rank: 1 },
];
const note: Column<Row> = { title: 'note', text: (row) => row.note };
const ROWS: Row[] = [
  { name: 'a', size: '10', note: '' },
  { name: 'longer', size: '7', note: 'does not start' },
];

function recorded(options: { columns?: number; env?: NodeJS.ProcessEnv } = {}): Screen & { text(): string } {
  let text = '';
  const stream = {
    isTTY: options.columns !== undefined,
    columns: options.columns ?? 0,
    write: (chunk: string) => {
      text += chunk;
      return true;
    },
  };
  const screen = createScreen(stream, options.env ?? {});
  return { ...screen, text: () => text };
}

test('columns are aligned, without trailing spaces', () => {
  const screen = recorded();
  expect(printTable(screen, ROWS, { columns, note })).toEqual([]);
  expect(screen.text()).toBe('NAME    SIZE  NOTE\na       10\nlonger  7     does not start\n');
});

test('styles do not disturb the columns', () => {
  const screen = recorded({ env: { FORCE_COLOR: '1' } });
  printTable(screen, ROWS, { columns, note });
  expect(screen.text()).toContain('\u001b[1mlonger\u001b[22m');
  expect(stripVTControlCharacters(screen.text())).toBe(
    'NAME    SIZE  NOTE\na       10\nlonger  7     does not start\n',
  );
});

test('on a narrow terminal, notes move below their row, then ranked columns are dropped', () => {
  const env = { NO_COLOR: '1' };
  const narrow = recorded({ columns: 20, env });
  expect(printTable(narrow, ROWS, { columns, note })).toEqual([]);
  expect(narrow.text()).toBe('NAME    SIZE\na       10\nlonger  7\n  └ does not start\n');

  const narrower = recorded({ columns: 10, env });
  expect(printTable(narrower, ROWS, { columns, note })).toEqual(['size']);
  expect(narrower.text()).toBe('NAME\na\nlonger\n  └ does not start\n');
});

test('an empty note column is omitted', () => {
  const screen = recorded();
  printTable(screen, ROWS.slice(0, 1), { columns, note });
  expect(screen.text()).toBe('NAME  SIZE\na     10\n');
});

test('external text stays on one line, without control characters', () => {
  const screen = recorded();
  printTable(screen, [{ name: 'a\nb\u001b[31m\u0007', size: '\u202e1', note: '' }], { columns, note });
  expect(screen.text()).toBe('NAME             SIZE\na b\\x1b[31m\\x07  \\u202e1\n');
  expect(printable('tab\there\nand\u009bthere')).toBe('tab\there\nand\\x9bthere');
  expect(oneLine('tab\there\nand\r\u2028there')).toBe('tab\there\\nand\\r\\u2028there');
});

test.each<[string, number | undefined, NodeJS.ProcessEnv, boolean]>([
  ['a terminal', 80, {}, true],
  ['a dumb terminal', 80, { TERM: 'dumb' }, false],
  ['a terminal with NO_COLOR', 80, { NO_COLOR: '1' }, false],
  ['a terminal with an empty NO_COLOR', 80, { NO_COLOR: '' }, true],
  ['a pipe', undefined, {}, false],
  ['a pipe with FORCE_COLOR', undefined, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
])('colours on %s', (_case, width, env, coloured) => {
  expect(recorded({ ...(width && { columns: width }), env }).style('red', 'x') !== 'x').toBe(coloured);
});

test('JSON is one line for programs and indented for people', () => {
  const [pipe, terminal] = [recorded(), recorded({ columns: 80 })];
  printJson(pipe, { a: 1 });
  printJson(terminal, { a: 1 });
  expect([pipe.text(), terminal.text()]).toEqual(['{"a":1}\n', '{\n  "a": 1\n}\n']);
});
