import fc from 'fast-check';

/** The `plugins:` block of a configuration, as in the file. */
export type PluginsBlock = Record<string, Record<string, unknown>>;

/** Settings of plugins. Each has few values, so that two generated plugins often agree. */
const settings = (ms: fc.Arbitrary<string>) => ({
  enabled: fc.boolean(),
  critical: fc.boolean(),
  priority: fc.integer({ min: 0, max: 3 }),
  sandbox: fc.constantFrom('strict', 'off'),
  instances: fc.integer({ min: 1, max: 2 }),
  config: fc.constantFrom({}, { tag: 'a' }, { tag: 'b' }, { tag: 'b', deep: { list: [1, 2] } }),
  timeouts: fc.record({ call: ms, initialize: ms, shutdown: ms }, { requiredKeys: [] }),
  circuit_breaker: fc.record({ failures: fc.integer({ min: 1, max: 3 }), window: ms }, { requiredKeys: [] }),
  retry: fc.record({ attempts: fc.integer({ min: 1, max: 2 }) }, { requiredKeys: [] }),
  limits: fc.record(
    {
      memory: fc.constantFrom('64MiB', '128MiB'),
      queue: fc.integer({ min: 1, max: 2 }),
      reply: fc.constantFrom('1MiB', '2MiB'),
      log_rate: fc.constantFrom('1KiB', '2KiB'),
    },
    { requiredKeys: [] },
  ),
  recycle: fc.record({ calls: fc.integer({ min: 0, max: 1 }) }, { requiredKeys: [] }),
  health: fc.record({ interval: ms }, { requiredKeys: [] }),
  quarantine: fc.record({ failures: fc.integer({ min: 0, max: 2 }) }, { requiredKeys: [] }),
  permissions: fc.record({ env: fc.constantFrom([], ['TZ']) }, { requiredKeys: [] }),
});

/**
 * Up to four plugins in any order, each a library of `paths`.
 * @param unitMs durations are one to five of these
 */
export function pluginsBlock(paths: readonly string[], unitMs = 100): fc.Arbitrary<PluginsBlock> {
  const ms = fc.integer({ min: 1, max: 5 }).map((n) => `${n * unitMs}ms`);
  const plugin = fc.record({ path: fc.constantFrom(...paths), ...settings(ms) }, { requiredKeys: ['path'] });
  return fc
    .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), plugin), {
      selector: ([name]) => name,
      maxLength: 4,
    })
    .map((entries) => Object.fromEntries(entries));
}
