import { copyFileSync, mkdtempSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ownCache } from '../../fixtures/cache.js';
import { compilePlugin } from '../../fixtures/compile.js';
import { startServer } from '../../fixtures/server.js';

ownCache();

const library = join(mkdtempSync(join(tmpdir(), 'backworks-dependencies-')), 'base.so');
function put(fixture: string): void {
  copyFileSync(compilePlugin(fixture), `${library}.next`);
  renameSync(`${library}.next`, library);
}

async function start(dependent: string, name: string) {
  put('needed');
  return startServer(`
plugins:
  ${name}: { path: ${compilePlugin(dependent)} }
  base: { path: ${library}, swap: { watch: false, probation: { duration: 0s } } }
`);
}

test.each([
  ['needs_plugin', 'user', 'needed_next', 'plugin user needs plugin base ^1.2, but base is 2.0.0'],
  [
    'needs_capability',
    'client',
    'needed_bare',
    'plugin client needs capability storage.kv, which no plugin provides',
  ],
  ['needs_plugin', 'user', 'needed_needy', 'plugin base needs plugin luxury, which no plugin is named'],
])('%s: a version that takes away what %s needs is refused', async (dependent, name, next, why) => {
  const server = await start(dependent, name);
  const before = server.plugin('base').processes.map(({ pid }) => pid);
  put(next);
  await expect(server.backworks.swapPlugin('base')).rejects.toMatchObject({
    code: 'BW_PLUGIN_DEPENDENCY',
    message: expect.stringContaining(why),
  });
  expect(server.plugin('base')).toMatchObject({
    state: 'ready',
    version: '1.4.2',
    processes: before.map((pid) => ({ pid })),
    lastSwap: { outcome: 'rejected', reason: expect.stringContaining(why) },
  });
});

test('a version that satisfies the dependencies is swapped in, and later checks use it', async () => {
  const server = await start('needs_capability', 'client');
  put('needed_next');
  await expect(server.backworks.swapPlugin('base')).resolves.toBe('swapped');
  expect(server.plugin('base').version).toBe('2.0.0');
  // From now on, a plugin that needs version 1 is refused.
  put('needed_bare');
  await expect(server.backworks.swapPlugin('base')).rejects.toMatchObject({ code: 'BW_PLUGIN_DEPENDENCY' });
});

test('a plugin for another host version is refused, with both versions in the reason', async () => {
  const server = await startServer(`plugins: { tomorrow: { path: ${compilePlugin('host_range')} } }`);
  expect(server.plugin('tomorrow')).toMatchObject({
    state: 'failed',
    reason: expect.stringMatching(
      /plugin tomorrow needs Backworks >=900, but this server has version \d+\.\d+\.\d+/,
    ),
  });
  expect(server.log).toContainEqual(
    expect.objectContaining({ fields: expect.objectContaining({ code: 'BW_PLUGIN_ABI' }) }),
  );
});
