import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { ownCache } from '../fixtures/cache.js';
import { eventually, startServer, type TestServer } from '../fixtures/server.js';
import { putVersion } from '../fixtures/versions.js';

ownCache();
let library = '';
beforeEach(() => {
  library = join(mkdtempSync(join(tmpdir(), 'backworks-swap-')), 'versioned.so');
});

function start(policy = ''): Promise<TestServer> {
  return startServer(`
endpoints:
  version: { path: /version, plugin: versioned }
  wait: { path: /wait, plugin: versioned }
plugins:
  versioned: { path: ${library}, timeouts: { call: 10s }, restart: { delay: 1ms, max_delay: 1ms }${policy} }
`);
}

const versionAt = async (server: TestServer, path = '/version'): Promise<unknown> => {
  const { status, body } = await server.get(path);
  return status === 200 ? (body as { version: string }).version : status;
};
const pids = (server: TestServer): number[] => server.plugin('versioned').processes.map(({ pid }) => pid);
const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('a swap', () => {
  test('gives new requests the new version, and the old one ends after its last request', async () => {
    putVersion(library, 1000);
    const server = await start();
    const before = pids(server);
    const waiting = versionAt(server, '/wait');
    await eventually(() => server.plugin('versioned').processes[0]?.calls === 0, 'a start');
    putVersion(library, 1001);
    await server.backworks.swapPlugin('versioned');
    expect(await versionAt(server)).toBe('1.0.1001');
    expect(server.plugin('versioned')).toMatchObject({ state: 'ready', version: '1.0.1001' });
    expect(before.every(isRunning)).toBe(true);
    expect(await waiting).toBe('1.0.1000');
    await eventually(() => !before.some(isRunning), 'the end of the old processes');
    await server.backworks.stop();
  });

  test.each(['refuse', 'newer'])('leaves what serves when the new version is bad: %s', async (behaviour) => {
    putVersion(library, 1000);
    const server = await start();
    const before = pids(server);
    putVersion(library, 1001, behaviour);
    await expect(server.backworks.swapPlugin('versioned')).rejects.toMatchObject({
      code: behaviour === 'newer' ? 'BW_PLUGIN_ABI' : 'BW_PLUGIN_INITIALIZE',
    });
    expect(await versionAt(server)).toBe('1.0.1000');
    expect(pids(server)).toEqual(before);
    expect(server.plugin('versioned')).toMatchObject({ state: 'ready', version: '1.0.1000' });
    await server.backworks.stop();
  });

  test('of a plugin in the server itself is refused', async () => {
    putVersion(library, 1000);
    const server = await start(', isolation: in-process, trusted: true');
    putVersion(library, 1001);
    await expect(server.backworks.swapPlugin('versioned')).rejects.toMatchObject({ code: 'BW_PLUGIN_STATE' });
    expect(await versionAt(server)).toBe('1.0.1000');
    await server.backworks.stop();
  });
});
