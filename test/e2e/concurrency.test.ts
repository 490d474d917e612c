import { describe, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually, startServer } from '../fixtures/server.js';

const yaml = (library: string, concurrency: number, callTime = '10s'): string => `
endpoints:
  two: { path: /two, plugin: any }
  hang: { path: /hang, plugin: any }
plugins:
  any:
    path: ${compilePlugin(library)}
    timeouts: { call: ${callTime} }
    restart: { delay: 1ms, max_delay: 5ms }
    limits: { concurrency: ${concurrency} }
`;

describe('limits.concurrency', () => {
  test('requests run concurrently in one process of a plugin', async () => {
    const server = await startServer(yaml('concurrent', 2));
    const answers = await Promise.all(Array.from({ length: 20 }, () => server.get('/two')));
    expect(answers.map(({ status, body }) => [status, body])).toEqual(
      Array.from({ length: 20 }, () => [200, { ok: true }]),
    );
    const { limits, processes } = server.plugin('any');
    expect(limits.concurrency).toBe(2);
    expect(processes.filter(({ state }) => state === 'ready')).toHaveLength(1);
  });

  test('a request that hangs is answered with 504, and the requests beside it are answered', async () => {
    const server = await startServer(yaml('concurrent', 3, '1s'));
    const hanging = server.get('/hang');
    const [first, second] = await Promise.all([server.get('/two'), server.get('/two')]);
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(await hanging).toMatchObject({ status: 504, body: { code: 'BW_PLUGIN_TIMEOUT' } });
    await eventually(() => server.plugin('any').failures.length > 0, 'the post-mortem');
    expect(server.plugin('any').failures[0]?.message).toContain('while waiting');
  });

  test('a changed value takes effect with a reload', async () => {
    const server = await startServer(yaml('concurrent', 1, '300ms'));
    expect((await server.get('/two')).status).toBe(504);
    await server.change(yaml('concurrent', 2));
    const answers = await Promise.all([server.get('/two'), server.get('/two')]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });

  test('a library that is not thread-safe does not start, and the reason names the setting', async () => {
    const server = await startServer(yaml('supervised', 2));
    const { state, reason } = server.plugin('any');
    expect(state).toBe('failed');
    expect(reason).toContain('limits.concurrency 2');
  });
});
