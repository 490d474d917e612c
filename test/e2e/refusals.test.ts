import { expect, test } from '@jest/globals';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually, startServer } from '../fixtures/server.js';

/** Refused operations of plugins that use the C library through the library of another language. */
ownCache();

test.each(['refused_cpp', 'refused_rust'])(
  'refused operations of %s are reported with the permissions that would allow them',
  async (library) => {
    const server = await startServer(`
endpoints:
  try: { path: /try, plugin: refused }
plugins:
  refused: { path: ${compilePlugin(library)} }
`);
    expect(await server.get('/try')).toMatchObject({ status: 200, body: { read: false, connected: false } });
    await eventually(() => server.plugin('refused').refusals.length >= 2, 'both refusals');
    expect(server.plugin('refused').refusals).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ permission: 'filesystem.read', object: '/etc/hostname' }),
        expect.objectContaining({ permission: 'network.connect' }),
      ]),
    );
    const told = server.log.map(({ message }) => message).join('\n');
    expect(told).toContain('grant permissions.filesystem.read: [/etc/hostname]');
    expect(told).toMatch(/grant .*permissions.network.connect/);
    await server.backworks.stop();
  },
);
