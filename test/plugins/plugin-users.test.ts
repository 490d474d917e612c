import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { largestPart, pluginUsers, UserAllocation } from '../../dist/plugins/plugin-users.js';

const range = { first: 300_000, count: 1000 };

describe('users of plugins', () => {
  test('no two names have the same user, and all are in the range', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { maxLength: 50 }), (names) => {
        const users = new UserAllocation({ first: 5000, count: 50 });
        const ids = names.map((name) => users.of(name).id);
        expect(new Set(ids).size).toBe(names.length);
        for (const id of ids) expect(id >= 5000 && id < 5050).toBe(true);
      }),
    );
  });

  test('a name has the same user at each start, whatever other plugins there are', () => {
    const alone = new UserAllocation(range).of('weather').id;
    const users = new UserAllocation(range);
    users.of('first');
    expect(users.of('weather').id).toBe(alone);
    expect(users.of('weather').id).toBe(alone);
  });

  test('a range that is used up is an error that names the key', () => {
    const users = new UserAllocation({ first: 5000, count: 1 });
    users.of('a');
    expect(() => users.of('b')).toThrow(
      expect.objectContaining({
        code: 'BW_PLUGIN_SANDBOX',
        hint: 'raise server.plugin_users.count',
      }),
    );
  });

  test('a range is cut to the users that the namespace of the server has', () => {
    expect(largestPart(range, [[0, 4_294_967_294]])).toEqual(range);
    expect(largestPart(range, [[0, 300_009]])).toEqual({ first: 300_000, count: 10 });
    expect(
      largestPart(range, [
        [0, 300_009],
        [300_500, 300_599],
      ]),
    ).toEqual({ first: 300_500, count: 100 });
    expect(largestPart(range, [[0, 65_535]])).toBeNull();
  });

  test('only a server that runs as root gives users, and none with a count of 0', () => {
    const [own, shared] = [pluginUsers(range), pluginUsers({ first: 300_000, count: 0 })];
    const isRoot = process.getuid?.() === 0;
    expect(own.of('a')).toEqual(isRoot ? { id: expect.any(Number), isOwn: true, missing: null } : null);
    expect(shared.of('a')).toEqual(isRoot ? { id: 65_534, isOwn: false, missing: null } : null);
  });
});
