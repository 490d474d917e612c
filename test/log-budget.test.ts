import { expect, test } from '@jest/globals';
import type { Log } from '../dist/log.js';
import { LogBudget } from '../dist/log-budget.js';
import { eventually } from './fixtures/server.js';

interface Line {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

function recorder(): { log: Log; lines: Line[] } {
  const lines: Line[] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, fields, message });
  return { log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines };
}

test('warnings about one plugin are limited to its rate, and the number of dropped lines is logged', async () => {
  const { log, lines } = recorder();
  const budget = new LogBudget(log, () => 10_000);
  for (let count = 0; count < 1000; count += 1) budget.warn({ plugin: 'flood' }, 'x'.repeat(488));
  expect(lines).toHaveLength(10);
  budget.error({ plugin: 'flood' }, 'plugin flood crashed');
  budget.warn({ plugin: 'other' }, 'another plugin');
  budget.warn({}, 'about no plugin');
  budget.warn({ plugin: 'flood', source: 'stderr' }, 'its own output');
  expect(lines.slice(10).map(({ message }) => message)).toEqual([
    'plugin flood crashed',
    'another plugin',
    'about no plugin',
    'its own output',
  ]);
  await eventually(() => lines.length === 15, 'the report of dropped lines');
  expect(lines[14]).toEqual({
    level: 'warn',
    fields: { plugin: 'flood', dropped: 990 },
    message: '990 log lines (warn) about plugin flood were dropped: limits.log_rate is 10000 bytes a second',
  });
});

test('at least one line per second is written, even with a tiny rate', () => {
  const { log, lines } = recorder();
  const budget = new LogBudget(log, () => 1);
  for (let count = 0; count < 10; count += 1) budget.error({ plugin: 'quiet' }, 'it failed');
  expect(lines).toHaveLength(1);
});
