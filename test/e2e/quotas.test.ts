import { expect, test } from '@jest/globals';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually, startServer, type TestServer } from '../fixtures/server.js';

ownCache();

const FULL = /plugin bare has reached limits\.threads/;

const uidOf = (server: TestServer, name: string): string | undefined =>
  server.plugin(name).sandbox?.states['uid'];

test('plugins share no quota, and a plugin at limits.threads is named in a warning and keeps running', async () => {
  const server = await startServer(`
endpoints:
  taker: { path: /bad, methods: [GET], plugin: taker }
  other: { path: /bad, methods: [POST], plugin: other }
  bare: { path: /bad, methods: [PUT], plugin: bare }
plugins:
  taker: { path: ${compilePlugin('hostile/h53_quotas')} }
  other: { path: ${compilePlugin('hostile/h53_quotas')} }
  bare: { path: ${compilePlugin('hostile/h52_bare_threads')}, limits: { threads: 8 } }
`);
  const ask = async (method: string): Promise<unknown> =>
    (await fetch(`${server.url}/bad`, { method })).json();
  expect(await ask('GET')).toMatchObject({ timer_after: 'EAGAIN', sendmsg: 'EPERM' });
  expect(await ask('POST')).toMatchObject({ timer_before: 'ok', signals: 1023 });
  expect(await ask('PUT')).toEqual({ threads: 8, one_more: 'EAGAIN', clone3: 'ENOSYS' });
  await eventually(() => server.log.some(({ message }) => FULL.test(message)), 'the warning');
  expect(server.plugin('bare')).toMatchObject({ state: 'ready', failures: [], limits: { threads: 8 } });
  await server.backworks.stop();
});

test('a process above limits.threads is stopped when the system does not enforce the limit', async () => {
  const server = await startServer(`
endpoints: { bad: { path: /bad, plugin: bomb } }
plugins:
  bomb: { path: ${compilePlugin('hostile/h16_thread_bomb')}, sandbox: off, limits: { threads: 4 } }
`);
  await server.get('/bad');
  await eventually(() => server.plugin('bomb').failures.length > 0, 'the end of the process');
  const [failure] = server.plugin('bomb').failures;
  expect(failure).toMatchObject({ code: 'BW_PLUGIN_THREADS', outcome: 'violation', signal: 'SIGKILL' });
  expect(failure?.message).toMatch(/^plugin bomb was stopped .*: it had \d+ threads, the limit is 5$/);
  await server.backworks.stop();
});

test('on a server that runs as root, each plugin has its own user, the same after a restart', async () => {
  const isRoot = process.getuid?.() === 0;
  const library = compilePlugin('echo');
  const yaml = (range: string): string => `server: { port: 0, plugin_users: { ${range} } }
plugins:
  one: { path: ${library} }
  two: { path: ${library} }
`;
  const uids = async (range: string): Promise<(string | undefined)[]> => {
    const server = await startServer(yaml(range));
    await server.backworks.restartPlugin('one');
    const found = ['one', 'two'].map((name) => uidOf(server, name));
    await server.backworks.stop();
    return found;
  };
  const own = await uids('first: 300000, count: 1000');
  expect(await uids('first: 300000, count: 1000')).toEqual(own);
  expect(new Set(own).size).toBe(isRoot ? 2 : 1);
  const inRange = own.every((uid) => Number(uid) >= 300_000 && Number(uid) < 301_000);
  expect(inRange).toBe(isRoot);
  expect(await uids('count: 0')).toEqual(isRoot ? ['65534', '65534'] : own);
});
