import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import {
  assertTransition,
  type PluginState,
  STATE_TRANSITIONS,
} from '../../../dist/lifecycle/entry/plugin-state.js';

const STATES = Object.keys(STATE_TRANSITIONS) as PluginState[];

test.each(STATES)('a plugin in state %s can enter the states of the table and no others', (from) => {
  for (const to of STATES) {
    const enter = (): void => assertTransition('weather', from, to);
    if (from === to || STATE_TRANSITIONS[from].includes(to)) enter();
    else expect(enter).toThrow(`plugin weather is ${from} and cannot become ${to}`);
  }
});

test('ARCHITECTURE.md has the same table of states', () => {
  const text = readFileSync(new URL('../../../ARCHITECTURE.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `(\w+)` \|[^|]*\| ([^|]+) \|$/gm)];
  const documented = rows.map(([, state = '', next = '']) => [state, next.trim().split(', ')]);
  expect(Object.fromEntries(documented)).toEqual(STATE_TRANSITIONS);
});
