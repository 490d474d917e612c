import { describe, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { createTestServer, eventually, startServer } from '../fixtures/server.js';

/** A server with a faulty plugin at /bad and /ok, and a plugin that works at /next. */
function configuration(fixture: string, extra = ''): string {
  return `
endpoints:
  bad:  { path: /bad, plugin: faulty }
  ok:   { path: /ok, plugin: faulty }
  next: { path: /next, plugin: echo }
plugins:
  faulty: { path: ${compilePlugin(fixture)}, timeouts: { call: 300ms, initialize: 1s } ${extra} }
  echo: { path: ${compilePlugin('echo')} }
`;
}

describe('a plugin that fails during a call', () => {
  const cases: [fixture: string, code: string, status: number, told: RegExp][] = [
    ['crash_segv', 'BW_PLUGIN_CRASHED', 503, /crashed with SIGSEGV during process_endpoint/],
    ['abort_call', 'BW_PLUGIN_CRASHED', 503, /crashed with SIGABRT during process_endpoint/],
    ['exit_zero', 'BW_PLUGIN_EXITED', 503, /exit code 0/],
    ['hang', 'BW_PLUGIN_TIMEOUT', 504, /stopped at its deadline during process_endpoint/],
  ];

  test.each(cases)(
    '%s is reported as %s, and the next requests are answered',
    async (fixture, code, status, told) => {
      const server = await startServer(configuration(fixture));
      const [before] = server.plugin('faulty').processes.filter(({ state }) => state === 'ready');

      const bad = await server.get('/bad');
      expect(bad).toMatchObject({ status, body: { code, plugin: 'faulty', status } });
      expect(bad.headers.get('content-type')).toContain('application/problem+json');
      // Another process serves at once. A call past its deadline says nothing about the next one.
      expect(bad.headers.get('retry-after')).toBe(status === 503 ? '1' : null);

      // Another plugin answers the next request.
      expect(await server.get('/next')).toMatchObject({ status: 200, body: { path: '/next' } });

      // The log and the list name the plugin and the reason.
      const line = (): unknown =>
        server.log.find(({ level, message }) => level === 'error' && told.test(message));
      await eventually(() => line() !== undefined, 'the log line');
      expect(line()).toMatchObject({ fields: { plugin: 'faulty', code } });

      // A fresh process serves the next call.
      expect(await server.get('/ok')).toEqual(expect.objectContaining({ status: 200, body: { ok: true } }));
      await eventually(() => server.plugin('faulty').state === 'ready', 'recovery');
      const [after] = server.plugin('faulty').processes.filter(({ state }) => state === 'ready');
      expect(after?.pid).not.toBe(before?.pid);
      await server.backworks.stop();
    },
  );

  test('bad_json is reported as BW_PLUGIN_BAD_RESPONSE, and the process keeps running', async () => {
    const server = await startServer(configuration('bad_json'));
    const pid = server.plugin('faulty').processes[0]?.pid;
    expect(await server.get('/bad')).toMatchObject({
      status: 502,
      body: { code: 'BW_PLUGIN_BAD_RESPONSE', plugin: 'faulty' },
    });
    expect(await server.get('/ok')).toMatchObject({ status: 200, body: { ok: true } });
    expect(server.plugin('faulty').processes[0]?.pid).toBe(pid);
    await server.backworks.stop();
  });

  test('has its circuit opened after repeated failures, and its status shows the circuit', async () => {
    const server = await startServer(
      configuration('crash_segv', ', circuit_breaker: { failures: 2, window: 30s, reset_after: 30s }'),
    );
    await server.get('/bad');
    await server.get('/ok');
    await server.get('/bad');
    const refused = await server.get('/ok');
    expect(refused).toMatchObject({ status: 503, body: { code: 'BW_PLUGIN_CIRCUIT_OPEN' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(1);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(30);
    expect(server.plugin('faulty')).toMatchObject({ state: 'degraded', circuit: 'open' });
    expect(server.plugin('faulty').reason).toMatch(/circuit is open/);
    expect(await server.get('/next')).toMatchObject({ status: 200 });
    await server.backworks.stop();
  });
});

describe('a plugin whose calls all fail', () => {
  test.each(['bad_json', 'crash_segv'])(
    'is degraded, with a reason, until a call succeeds: %s',
    async (fixture) => {
      const extra =
        ', circuit_breaker: { failures: 1000 }, quarantine: { failures: 0 }, restart: { delay: 1ms, max_delay: 1ms }';
      const server = await startServer(configuration(fixture, extra));
      for (let call = 0; call < 3; call += 1) {
        await server.get('/bad');
        await eventually(
          () => server.plugin('faulty').processes.some(({ state }) => state === 'ready'),
          'a process',
        );
      }
      const reason = /every call of process_endpoint fails: plugin faulty/;
      await eventually(() => reason.test(server.plugin('faulty').reason ?? ''), 'the reason');
      expect(server.plugin('faulty').state).toBe('degraded');
      expect(await server.get('/ok')).toMatchObject({ status: 200 });
      await eventually(() => server.plugin('faulty').state === 'ready', 'recovery');
      await server.backworks.stop();
    },
  );
});

test('while a plugin waits for its next start, its 503 answers state the delay in retry-after', async () => {
  const extra =
    ', circuit_breaker: { failures: 1000 }, quarantine: { failures: 0 }, restart: { delay: 40s, max_delay: 40s }';
  const server = await startServer(configuration('crash_segv', extra));
  // The spare takes the place of the first process; the next one starts after the delay.
  await server.get('/bad');
  await server.get('/bad');
  const refused = await server.get('/ok');
  expect(refused).toMatchObject({ status: 503, body: { code: 'BW_PLUGIN_UNAVAILABLE' } });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(30);
  await server.backworks.stop();
});

describe('a plugin that cannot be loaded', () => {
  test.each(['', ', isolation: in-process, trusted: true'])(
    'for a missing function has the function and its own path in the reason%s',
    async (extra) => {
      const server = await startServer(configuration('undefined_symbol', extra));
      expect(server.plugin('faulty').reason).toContain('function_of_no_library');
      expect(server.plugin('faulty').reason).toContain(compilePlugin('undefined_symbol'));
      expect(server.plugin('faulty').reason).not.toMatch(/\.cache|[0-9a-f]{32}/);
      expect(await server.get('/bad')).toMatchObject({ status: 503 });
      expect((await server.get('/bad')).headers.get('retry-after')).toBeNull();
      await server.backworks.stop();
    },
  );

  const cases: [fixture: string, code: string, told: RegExp][] = [
    ['initialize_fails', 'BW_PLUGIN_INITIALIZE', /no licence for today/],
    ['missing_vtable', 'BW_LIBRARY_SYMBOL', /plugin_vtable/],
    ['crash_constructor', 'BW_PLUGIN_CRASHED', /SIGSEGV.*load/],
    ['hang_constructor', 'BW_PLUGIN_TIMEOUT', /deadline.*load/],
  ];

  test.each(cases)('%s is reported as %s, and other plugins serve', async (fixture, code, told) => {
    const server = await startServer(configuration(fixture));
    expect(server.plugin('faulty')).toMatchObject({ state: 'failed' });
    expect(server.plugin('faulty').reason).toMatch(told);
    expect(server.log).toContainEqual(
      expect.objectContaining({
        level: 'error',
        fields: expect.objectContaining({ plugin: 'faulty', code }),
      }),
    );
    expect(await server.get('/next')).toMatchObject({ status: 200 });
    expect(await server.get('/bad')).toMatchObject({ status: 503, body: { plugin: 'faulty' } });
    await server.backworks.stop();
  });

  test('makes the start fail if it is critical, and no process keeps running', async () => {
    const { backworks } = createTestServer(configuration('initialize_fails', ', critical: true'));
    await expect(backworks.start()).rejects.toMatchObject({ code: 'BW_PLUGIN_INITIALIZE' });
    expect(backworks.plugins().every(({ processes }) => processes.length === 0)).toBe(true);
  });
});

describe('a plugin that hangs', () => {
  const entry = (policy: string): string => `
endpoints: { faulty: { path: /ok, plugin: faulty } }
plugins: { faulty: { path: ${compilePlugin('hang_shutdown')}, ${policy} } }
`;

  test('in initialize() is stopped at timeouts.initialize', async () => {
    const server = await startServer(
      entry('timeouts: { initialize: 300ms }, config: { hang_initialize: true }'),
    );
    expect(server.plugin('faulty')).toMatchObject({ state: 'failed', processes: [] });
    expect(server.plugin('faulty').failures).toMatchObject([{ outcome: 'timeout', phase: 'initialize' }]);
    await server.backworks.stop();
  });

  test('in shutdown() is stopped at timeouts.shutdown', async () => {
    const server = await startServer(entry('timeouts: { shutdown: 200ms }'));
    expect(await server.get('/ok')).toMatchObject({ status: 200 });
    const pids = server.plugin('faulty').processes.map(({ pid }) => pid);
    expect(pids.length).toBeGreaterThan(0);
    await server.backworks.stop();
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});
