import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  dependentsOf,
  type DependencyNode,
  DependencyResolver,
} from '../../../dist/lifecycle/dependencies/dependency-resolver.js';
import type { PluginDependency } from '../../../dist/plugins/metadata.js';

interface Traits {
  version?: string;
  provides?: string[];
  needs?: (string | Partial<PluginDependency>)[];
  enabled?: boolean;
}

function node([name, { version = '1.0.0', provides = [], needs = [], enabled = true }]: [
  string,
  Traits,
]): DependencyNode {
  const dependencies = needs.map((need): PluginDependency => ({
    kind: 'plugin',
    name: '',
    version: '*',
    optional: false,
    ...(typeof need === 'string' ? { name: need } : need),
  }));
  return { name, enabled, metadata: { version, capabilities: provides, dependencies } };
}

const resolve = (...plugins: [string, Traits][]) => new DependencyResolver(plugins.map(node)).resolve();
const reasons = (...plugins: [string, Traits][]) =>
  Object.fromEntries([...resolve(...plugins).failures].map(([name, { message }]) => [name, message]));

test('plugins come after their dependencies, and otherwise in the given order', () => {
  const { order, failures } = resolve(
    ['c', { needs: ['b'] }],
    ['x', {}],
    ['b', { needs: [{ kind: 'capability', name: 'storage.kv' }] }],
    ['a', { provides: ['storage.kv'] }],
  );
  expect(order).toEqual(['a', 'b', 'c', 'x']);
  expect(failures.size).toBe(0);
});

test.each<[string, [string, Traits][], Record<string, string>]>([
  [
    'a plugin that does not exist',
    [['a', { needs: ['b'] }]],
    { a: 'plugin a needs plugin b, which no plugin is named' },
  ],
  [
    'another version of a plugin',
    [
      ['a', { needs: [{ name: 'b', version: '^2.1' }] }],
      ['b', { version: '2.0.9' }],
    ],
    { a: 'plugin a needs plugin b ^2.1, but b is 2.0.9' },
  ],
  [
    'a disabled one',
    [
      ['a', { needs: ['b'] }],
      ['b', { enabled: false }],
    ],
    { a: 'plugin a needs plugin b, but b is disabled' },
  ],
  [
    'nobody who can',
    [
      ['a', { needs: [{ kind: 'capability', name: 'mail.send' }] }],
      ['b', {}],
    ],
    { a: 'plugin a needs capability mail.send, which no plugin provides' },
  ],
  [
    'each other',
    [
      ['a', { needs: ['b'] }],
      ['b', { needs: ['c'] }],
      ['c', { needs: ['a'] }],
      ['d', { needs: ['a'] }],
    ],
    {
      a: 'circular dependency: a → b → c → a',
      b: 'circular dependency: a → b → c → a',
      c: 'circular dependency: a → b → c → a',
    },
  ],
  ['itself', [['a', { needs: ['a'] }]], { a: 'plugin a needs plugin a, which no plugin is named' }],
  [
    'two versions of one plugin',
    [
      ['a', { needs: [{ name: 'c', version: '^1' }] }],
      ['b', { needs: [{ name: 'c', version: '^2' }] }],
      ['c', { version: '1.5.0' }],
    ],
    { b: 'plugin b needs plugin c ^2, but c is 1.5.0' },
  ],
])('a plugin that needs %s cannot be loaded', (_what, plugins, expected) => {
  expect(reasons(...plugins)).toEqual(expected);
});

test('a capability is provided by a plugin that is enabled and has a matching version', () => {
  const { providers } = resolve(
    ['a', { needs: [{ kind: 'capability', name: 'kv', version: '>=2' }] }],
    ['off', { provides: ['kv'], version: '3.0.0', enabled: false }],
    ['old', { provides: ['kv'], version: '1.0.0' }],
    ['new', { provides: ['kv'], version: '2.1.0' }],
  );
  expect(providers.get('a')?.map(({ name }) => name)).toEqual(['new']);
});

test('an optional dependency decides the order where possible and is ignored otherwise', () => {
  const optional = (name: string): Partial<PluginDependency> => ({ name, optional: true });
  expect(resolve(['a', { needs: [optional('b')] }], ['b', {}]).order).toEqual(['b', 'a']);
  expect(reasons(['a', { needs: [optional('nobody')] }])).toEqual({});
  const circle = resolve(['a', { needs: [optional('b')] }], ['b', { needs: ['a'] }]);
  expect(circle.failures.size).toBe(0);
  expect(circle.order).toEqual(['a', 'b']);
});

test('versions that are almost semver are compared as semver', () => {
  for (const version of ['1.4', 'v1.4.2', '1.4.2-rc.1', 'release 1.4']) {
    expect(reasons(['a', { needs: [{ name: 'b', version: '^1.2' }] }], ['b', { version }])).toEqual({});
  }
  expect(reasons(['a', { needs: ['b'] }], ['b', { version: 'latest' }])).toEqual({});
  expect(
    Object.keys(reasons(['a', { needs: [{ name: 'b', version: '>=0' }] }], ['b', { version: 'x' }])),
  ).toEqual(['a']);
});

test('dependents are the plugins that require a plugin, directly or indirectly', () => {
  const { providers } = resolve(
    ['a', {}],
    ['b', { needs: ['a'] }],
    ['c', { needs: ['b'] }],
    ['d', { needs: [{ name: 'a', optional: true }] }],
  );
  expect(dependentsOf('a', providers)).toEqual(['b', 'c']);
  expect(dependentsOf('c', providers)).toEqual([]);
});

test('for any dependencies, each enabled plugin is ordered once, after its dependencies unless one of them fails', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const need = fc.record({
    name: fc.constantFrom(...names, 'nobody'),
    optional: fc.boolean(),
    version: fc.constantFrom('*', '^1', '>=2'),
  });
  const traits = fc.record({
    needs: fc.array(need, { maxLength: 3 }),
    enabled: fc.boolean(),
    version: fc.constantFrom('1.0.0', '2.0.0'),
  });
  fc.assert(
    fc.property(fc.tuple(...names.map(() => traits)), (all) => {
      const plugins = all.map((given, index): [string, Traits] => [names[index] as string, given]);
      const { order, providers, failures } = resolve(...plugins);
      const enabled = plugins.filter(([, { enabled = true }]) => enabled).map(([name]) => name);
      expect([...order].sort()).toEqual(enabled);
      const place = new Map(order.map((name, index) => [name, index]));
      for (const name of order) {
        if (failures.has(name)) continue;
        for (const provider of providers.get(name) ?? []) {
          // An optional dependency may come later if a required one demands it.
          if (provider.dependency.optional || failures.has(provider.name)) continue;
          expect(place.get(provider.name)).toBeLessThan(place.get(name) as number);
        }
      }
    }),
  );
});
