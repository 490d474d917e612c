import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ownCache } from '../../fixtures/cache.js';
import { compilePlugin } from '../../fixtures/compile.js';
import { eventually, startServer, type TestServer } from '../../fixtures/server.js';
import { putVersion } from '../../fixtures/versions.js';

ownCache();

const pids = (server: TestServer, name: string): number[] =>
  server.plugin(name).processes.map(({ pid }) => pid);
const starts = (server: TestServer, name: string): number =>
  server.log.filter(({ message }) => message === `plugin ${name} is ready`).length;

async function act(
  server: TestServer,
  path: string,
): Promise<{ status: number; code?: string; detail?: string }> {
  const headers = { authorization: `Bearer ${server.adminToken}` };
  const response = await fetch(`${server.adminUrl}/plugins/${path}`, { method: 'POST', headers });
  return { ...((await response.json()) as object), status: response.status };
}

const echo = (settings = 'load: lazy'): string => `
endpoints:
  echo: { path: /echo, plugin: echo }
plugins:
  echo: { path: ${compilePlugin('echo')}, ${settings} }
`;

test('a lazy plugin is described and not started, and the server is ready without it', async () => {
  const server = await startServer(echo());
  expect(server.plugin('echo')).toMatchObject({
    state: 'lazy',
    reason: 'starts on first use',
    version: expect.stringMatching(/^\d/),
    digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    processes: [],
  });
  expect(server.plugin('echo').hooks).toContain('process_endpoint');
  const ready = await fetch(`${server.adminUrl}/readyz`);
  expect(ready.status).toBe(200);
  await expect(ready.json()).resolves.toMatchObject({ status: 'ready', not_serving: [], degraded: [] });
  const metrics = await fetch(`${server.adminUrl}/metrics`, {
    headers: { authorization: `Bearer ${server.adminToken}` },
  });
  expect(await metrics.text()).toContain('backworks_plugin_state{plugin="echo",state="lazy"} 1');
});

test('concurrent first requests share one start', async () => {
  const server = await startServer(echo());
  const answers = await Promise.all(Array.from({ length: 50 }, () => server.get('/echo')));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
  expect(starts(server, 'echo')).toBe(1);
  expect(server.plugin('echo')).toMatchObject({ state: 'ready', reason: null });
  expect(pids(server, 'echo')).not.toEqual([]);
});

test('a critical lazy plugin that fails to start fails the first request and all later ones', async () => {
  const library = join(mkdtempSync(join(tmpdir(), 'backworks-lazy-')), 'broken.so');
  putVersion(library, 1000, 'refuse');
  const server = await startServer(`
endpoints:
  named: { path: /version, plugin: broken }
  hooked: { path: /hook, response: { body: hello } }
plugins:
  broken: { path: ${library}, load: lazy, critical: true }
`);
  expect(server.plugin('broken').state).toBe('lazy');
  expect((await server.get('/version')).status).toBe(503);
  expect(server.plugin('broken').state).toBe('failed');
  // No request bypasses the hook of a critical plugin that failed.
  expect((await server.get('/hook')).status).toBe(503);
  const ready = await fetch(`${server.adminUrl}/readyz`);
  expect(ready.status).toBe(503);
  const failed = server.log.filter(({ level, fields }) => level === 'error' && fields.plugin === 'broken');
  expect(failed.map(({ fields }) => fields.code)).toContain('BW_PLUGIN_INITIALIZE');
});

test('problems of a lazy plugin with its file or its ABI are found when the server starts', async () => {
  const server = await startServer(`
plugins:
  gone: { path: /nowhere/gone.so, load: lazy }
  constructor: { path: ${compilePlugin('newer_abi')}, load: lazy }
`);
  expect(server.plugin('gone').state).toBe('failed');
  expect(server.plugin('constructor').state).toBe('failed');
});

test('a lazy dependency starts before the plugin that needs it, with the server if that plugin is eager', async () => {
  const needed = `base: { path: ${compilePlugin('needed')}, load: lazy }`;
  const user = `user: { path: ${compilePlugin('needs_plugin')}`;
  const eager = await startServer(`plugins:\n  ${user} }\n  ${needed}\n`);
  expect([eager.plugin('base').state, eager.plugin('user').state]).toEqual(['ready', 'ready']);
  const lazy = await startServer(`plugins:\n  ${user}, load: lazy }\n  ${needed}\n`);
  expect([lazy.plugin('base').state, lazy.plugin('user').state]).toEqual(['lazy', 'lazy']);
  expect(await act(lazy, 'base/disable')).toMatchObject({ code: 'BW_PLUGIN_IN_USE' });
  expect((await act(lazy, 'user/load')).status).toBe(200);
  expect([lazy.plugin('base').state, lazy.plugin('user').state]).toEqual(['ready', 'ready']);
});

test('a lazy plugin whose dependency fails to start fails with both reasons', async () => {
  const server = await startServer(`
plugins:
  user: { path: ${compilePlugin('needs_plugin')}, load: lazy }
  base: { path: ${compilePlugin('needed_broken')}, load: lazy }
`);
  expect(await act(server, 'user/load')).toMatchObject({
    code: 'BW_PLUGIN_DEPENDENCY',
    detail: expect.stringContaining('plugin user needs plugin base, which does not serve: '),
  });
});

test('an idle lazy plugin is stopped, and its next use starts it again', async () => {
  const server = await startServer(echo('load: lazy, idle_after: 100ms'));
  expect((await server.get('/echo')).status).toBe(200);
  const first = pids(server, 'echo');
  await eventually(() => server.plugin('echo').state === 'lazy', 'stopping an idle plugin');
  expect(server.plugin('echo').reason).toBe('was idle and starts on next use');
  await eventually(() => !first.some(isAlive), 'the end of its processes');
  expect((await server.get('/echo')).status).toBe(200);
  expect(starts(server, 'echo')).toBe(2);
});

test('an idle plugin is not stopped while a running plugin depends on it', async () => {
  const server = await startServer(`
plugins:
  user: { path: ${compilePlugin('needs_plugin')} }
  base: { path: ${compilePlugin('needed')}, load: lazy, idle_after: 20ms }
  echo: { path: ${compilePlugin('echo')}, load: lazy, idle_after: 200ms }
`);
  expect((await act(server, 'echo/load')).status).toBe(200);
  // By then the plugin base has been idle for longer than its limit.
  await eventually(() => server.plugin('echo').state === 'lazy', 'stopping an idle plugin');
  expect(server.plugin('base').state).toBe('ready');
});

test('a reload applies a changed `load` and starts no lazy plugin', async () => {
  const server = await startServer(echo());
  await server.change(echo('load: lazy, config: { a: 1 }'));
  expect(server.plugin('echo')).toMatchObject({ state: 'lazy', processes: [] });
  await server.change(echo('load: eager, config: { a: 1 }'));
  expect(server.plugin('echo').state).toBe('ready');
  const before = pids(server, 'echo');
  await server.change(echo('load: lazy, config: { a: 1 }'));
  expect(server.plugin('echo').state).toBe('ready');
  expect(pids(server, 'echo')).toEqual(expect.arrayContaining(before));
  await server.change(echo('load: lazy, enabled: false'));
  expect(server.plugin('echo').state).toBe('stopped');
  await server.change(echo());
  expect(server.plugin('echo')).toMatchObject({ state: 'lazy', processes: [] });
  expect((await server.get('/echo')).status).toBe(200);
});

test('swap, restart, release and unload do not start a lazy plugin', async () => {
  const server = await startServer(echo());
  await expect(server.backworks.swapPlugin('echo')).resolves.toBe('unchanged');
  const wrong = { code: 'BW_PLUGIN_STATE' };
  await expect(server.backworks.restartPlugin('echo')).rejects.toMatchObject(wrong);
  await expect(server.backworks.releasePlugin('echo')).rejects.toMatchObject(wrong);
  expect((await act(server, 'echo/unload?force=true')).status).toBe(200);
  expect(server.plugin('echo').state).toBe('stopped');
  expect(starts(server, 'echo')).toBe(0);
  expect((await act(server, 'echo/enable')).status).toBe(200);
  expect(server.plugin('echo').state).toBe('ready');
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
