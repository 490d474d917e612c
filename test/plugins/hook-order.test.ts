import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hookOrder } from '../../dist/plugins/hook-order.js';
import { PluginSet } from '../../dist/pipeline/plugin-set.js';
import { type PluginTraits, scriptPlugin, tracer } from '../pipeline/script-plugin.js';

function order(...plugins: [name: string, traits: PluginTraits][]): string {
  return hookOrder(plugins.map(([name, traits]) => scriptPlugin(name, {}, traits)))
    .map(({ name }) => name)
    .join(' ');
}

test('plugins are sorted by priority, equal priorities in the given order', () => {
  expect(order(['a', { priority: 200 }], ['b', { priority: 10 }], ['c', {}], ['d', {}])).toBe('b c d a');
});

test('a dependency runs before its dependents, regardless of priority', () => {
  expect(
    order(['user', { priority: 1, dependsOn: ['session'] }], ['log', { priority: 5 }], ['session', {}]),
  ).toBe('log session user');
});

test('missing and circular dependencies do not remove a plugin', () => {
  expect(
    order(['a', { dependsOn: ['b', 'nowhere'] }], ['b', { dependsOn: ['a'] }], ['c', { dependsOn: ['c'] }]),
  ).toBe('c a b');
});

test('every plugin appears exactly once', () => {
  const plugin = fc.record({
    priority: fc.integer({ min: 0, max: 3 }),
    dependsOn: fc.array(fc.constantFrom('0', '1', '2', '3')),
  });
  fc.assert(
    fc.property(fc.array(plugin, { maxLength: 4 }), (traits) => {
      const plugins = traits.map((trait, i) => scriptPlugin(String(i), {}, trait));
      expect(new Set(hookOrder(plugins))).toEqual(new Set(plugins));
    }),
  );
});

test('a hook lists only plugins that have it, and after_response runs in reverse order', () => {
  const set = new PluginSet(
    [tracer('b', { priority: 2 }), tracer('a', { priority: 1 }), scriptPlugin('idle', {})],
    { bodyLimitBytes: 0, bodyTimeoutMs: 1, offersUnmatched: () => true },
  );

  expect(set.hooksFor(null).beforeRequest.map(({ plugin, position }) => [plugin.name, position])).toEqual([
    ['a', 0],
    ['b', 1],
  ]);
  expect(set.hooksFor(null).afterResponse.map(({ plugin }) => plugin.name)).toEqual(['b', 'a']);
  expect(set.endpoints).toEqual([]);
  expect(set.find('idle')?.name).toBe('idle');
  expect(set.find('nobody')).toBeUndefined();
});
