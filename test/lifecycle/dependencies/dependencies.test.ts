import { expect, test } from '@jest/globals';
import { compilePlugin } from '../../fixtures/compile.js';
import { createTestServer, startServer } from '../../fixtures/server.js';

/** Other plugins refer to a plugin by its configured name. */
function plugins(entries: Record<string, string>): string {
  const lines = Object.entries(entries).map(([name, given]) => {
    const [fixture = '', ...extra] = given.split(', ');
    return `  ${name}: { ${[`path: ${compilePlugin(fixture)}`, ...extra].join(', ')} }`;
  });
  return `plugins:\n${lines.join('\n')}\n`;
}

const readyOrder = (log: readonly { message: string }[]): string[] =>
  log.flatMap(({ message }) => /^plugin (\S+) is ready$/.exec(message)?.[1] ?? []);

test('a plugin starts after its dependencies, in any order of the file', async () => {
  const server = await startServer(
    plugins({ top: 'needs_chain', user: 'needs_plugin', client: 'needs_capability', base: 'needed' }),
  );
  const order = readyOrder(server.log);
  expect(order[0]).toBe('base');
  expect(order.indexOf('user')).toBeLessThan(order.indexOf('top'));
  expect(order).toHaveLength(4);
});

test.each([
  [
    'newer',
    { newer: 'needs_version', base: 'needed' },
    'plugin newer needs plugin base >=2, but base is 1.4.2',
  ],
  ['user', { user: 'needs_plugin' }, 'plugin user needs plugin base ^1.2, which no plugin is named'],
  [
    'user',
    { user: 'needs_plugin', base: 'needed, enabled: false' },
    'plugin user needs plugin base ^1.2, but base is disabled',
  ],
  [
    'client',
    { client: 'needs_capability' },
    'plugin client needs capability storage.kv, which no plugin provides',
  ],
  [
    'circle-a',
    { 'circle-a': 'needs_circle_a', 'circle-b': 'needs_circle_b' },
    'circular dependency: circle-a → circle-b → circle-a',
  ],
])('%s is not started without its dependency, and the reason says so', async (name, entries, reason) => {
  const server = await startServer(plugins(entries));
  expect(server.plugin(name)).toMatchObject({
    state: 'failed',
    reason: expect.stringContaining(reason),
    processes: [],
  });
  expect(server.log).toContainEqual(
    expect.objectContaining({
      level: 'error',
      message: reason,
      fields: expect.objectContaining({ code: 'BW_PLUGIN_DEPENDENCY' }),
    }),
  );
});

test('a plugin does not start when an indirect dependency fails, and the reason has the chain', async () => {
  const server = await startServer(
    plugins({ top: 'needs_chain', user: 'needs_plugin', base: 'needed_broken', modest: 'needs_optional' }),
  );
  expect(server.plugin('base').state).toBe('failed');
  expect(server.plugin('top').reason).toContain(
    'plugin top needs plugin user, which does not serve: plugin user needs plugin base, which does not serve: ',
  );
  expect(server.plugin('modest').state).toBe('ready');
});

test('a critical plugin without its dependency makes the start fail', async () => {
  const { backworks } = createTestServer(plugins({ user: 'needs_plugin, critical: true' }));
  await expect(backworks.start()).rejects.toMatchObject({ code: 'BW_PLUGIN_DEPENDENCY' });
});

test('a reload that would break a dependency is refused and changes nothing', async () => {
  const both = plugins({ user: 'needs_plugin', base: 'needed' });
  const server = await startServer(both);
  const before = server.plugin('base').processes;
  await expect(server.change(plugins({ user: 'needs_plugin' }))).rejects.toMatchObject({
    code: 'BW_RELOAD_REFUSED',
    message: expect.stringContaining('plugin user needs plugin base ^1.2, which no plugin is named'),
  });
  expect(server.plugin('base')).toMatchObject({
    state: 'ready',
    processes: before.map(({ pid }) => ({ pid })),
  });
  await server.change(plugins({ base: 'needed' }));
  expect(server.backworks.plugins().map(({ name }) => name)).toEqual(['base']);
});

test('a reload starts dependencies first', async () => {
  const server = await startServer(plugins({ modest: 'needs_optional' }));
  await server.change(plugins({ user: 'needs_plugin', modest: 'needs_optional', base: 'needed' }));
  expect(server.plugin('user').state).toBe('ready');
  expect(readyOrder(server.log).slice(0, 1)).toEqual(['modest']);
});
