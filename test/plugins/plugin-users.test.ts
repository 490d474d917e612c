import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { pluginUsers } from '../../dist/plugins/plugin-users.js';

const range = { first: 300_000, count: 1000 };
const ALL = [[0, 4_294_967_294]] as const;

const idOf = (
  mapped: Parameters<typeof pluginUsers>[2],
  name = 'weather',
  users = range,
): number | undefined => pluginUsers(users, [], mapped).of(name)?.id;

test('no two plugins have the same user, and all are in the range', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { maxLength: 50 }), (names) => {
      const users = pluginUsers({ first: 5000, count: 50 }, [], ALL);
      const ids = names.map((name) => users.of(name)?.id ?? 0);
      expect(new Set(ids).size).toBe(names.length);
      for (const id of ids) expect(id >= 5000 && id < 5050).toBe(true);
    }),
  );
});

test('a plugin has the same user at each start, independent of other plugins', () => {
  const alone = idOf(ALL);
  const users = pluginUsers(range, ['first', 'second'], ALL);
  expect(users.of('weather')).toEqual({ id: alone, isOwn: true, missing: null });
  expect(users.of('weather')?.id).toBe(alone);
});

test('plugins whose hashes collide get their users in alphabetical order, not in call order', () => {
  const few = { first: 5000, count: 3 };
  const names = ['a', 'b', 'c'];
  const ids = (order: readonly string[]): unknown[] => {
    const users = pluginUsers(few, names, ALL);
    for (const name of order) users.of(name);
    return names.map((name) => users.of(name)?.id);
  };
  expect(ids(['c', 'b', 'a'])).toEqual(ids(['a', 'b', 'c']));
});

test('an exhausted range is an error that names the key', () => {
  const users = pluginUsers({ first: 5000, count: 1 }, ['a'], ALL);
  expect(() => users.of('b')).toThrow(
    expect.objectContaining({ code: 'BW_PLUGIN_SANDBOX', hint: 'raise server.plugin_users.count' }),
  );
});

test("only ids that exist in the server's user namespace are used", () => {
  const within = (low: number, high: number, id = 0): boolean => id >= low && id <= high;
  expect(within(300_000, 300_009, idOf([[0, 300_009]]))).toBe(true);
  const parts = [
    [0, 300_009],
    [300_500, 300_599],
  ] as const;
  expect(within(300_500, 300_599, idOf(parts))).toBe(true);
});

test('a container with 65536 users uses ids that no distribution assigns', () => {
  const id = idOf([[0, 65_535]]) ?? 0;
  expect(id >= 60_706 && id <= 61_183).toBe(true);
});

test('without enough users the plugins share one, and the missing protection is reported', () => {
  expect(pluginUsers(range, [], [[0, 0]]).of('a')).toEqual({
    id: 65_534,
    isOwn: false,
    missing: "the server's user namespace contains no user of server.plugin_users",
  });
});

test('with a count of 0 the plugins share one user and nothing is reported', () => {
  const shared = { id: 65_534, isOwn: false, missing: null };
  expect(pluginUsers({ first: 300_000, count: 0 }, [], ALL).of('a')).toEqual(shared);
});

test('a server that does not run as root gives no users', () => {
  expect(pluginUsers(range, ['a'], null).of('a')).toBeNull();
});
