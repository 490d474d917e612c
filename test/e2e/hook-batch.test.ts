import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually, startServer, type TestServer } from '../fixtures/server.js';

/**
 * The server sends consecutive hooks of one plugin to the process as one batch. The result must equal that of
 * single calls, and no hook may run twice for a request.
 */

const directory = mkdtempSync(join(tmpdir(), 'backworks-batch-'));
chmodSync(directory, 0o777);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let logs = 0;

interface Batched extends TestServer {
  /** Hooks called for a request, in order. */
  calls(id: string): string[];
  /** How often each "hook id" was noted. */
  notes(): Map<string, number>;
  ask(what: string, id: string): Promise<{ status: number; headers: Headers; body: string }>;
}

/** batched.c at /batch/{what}. */
async function start(policy = '', others = '', callTime = '10s'): Promise<Batched> {
  const log = join(directory, `calls-${(logs += 1)}`);
  writeFileSync(log, '');
  chmodSync(log, 0o666);
  const server = await startServer(`
endpoints:
  batch: { path: "/batch/{what}", plugin: batched }
plugins:
  batched:
    path: ${compilePlugin('batched')}
    config: { log: ${log} }
    permissions: { filesystem: { read: [${directory}], write: [${directory}] } }
    timeouts: { call: ${callTime} }
    circuit_breaker: { failures: 100000, window: 1s }
    quarantine: { failures: 0 }
    restart: { delay: 1ms, max_delay: 5ms }
    ${policy}
${others}
`);
  const lines = (): string[] => readFileSync(log, 'utf8').split('\n').slice(0, -1);
  return Object.assign(server, {
    calls: (id: string) =>
      lines()
        .filter((line) => line.endsWith(` ${id}`))
        .map((line) => line.split(' ')[0]!),
    notes: () => {
      const counts = new Map<string, number>();
      for (const line of lines()) counts.set(line, (counts.get(line) ?? 0) + 1);
      return counts;
    },
    ask: async (what: string, id: string) => {
      const response = await fetch(`${server.url}/batch/${what}`, { headers: { 'x-request-id': id } });
      return { status: response.status, headers: response.headers, body: await response.text() };
    },
  });
}

const ALL = ['before_request', 'process_endpoint', 'after_response'];

describe('a batch of hooks', () => {
  const WHATS = [
    'usual',
    'silent',
    'patch-before',
    'stop-before',
    'broken-before',
    'not-mine',
    'response',
    'escaped',
    'no-body',
    'list',
    'text',
    'broken',
    'two',
    'prototype',
    'huge-status',
    'broken-after',
  ];

  test('gives the same answers as in-process, where hooks are called one by one', async () => {
    const [isolated, inProcess] = await Promise.all([
      start(),
      start('isolation: in-process\n    trusted: true'),
    ]);
    for (const what of WHATS) {
      const outcome = async (server: Batched): Promise<object> => {
        const { status, headers, body } = await server.ask(what, what);
        const shown = [...headers].filter(([name]) => !/^(date|connection|keep-alive)$/.test(name));
        // Clients' ports differ.
        const text = body.replace(/"port":\d+/, '"port":0');
        return { what, status, headers: shown, body: text, calls: server.calls(what) };
      };
      expect(await outcome(isolated)).toEqual(await outcome(inProcess));
    }
  });

  test('calls every hook of a usual request, and after_response sees the whole response', async () => {
    const server = await start();
    const { status, headers, body } = await server.ask('usual', 'request-1');
    expect({ status, after: headers.get('x-after') }).toEqual({ status: 200, after: 'yes' });
    expect((JSON.parse(body) as { told: unknown }).told).toEqual({
      status: 200,
      headers: { 'content-type': 'application/json' },
      context: {},
      request: { id: 'request-1', method: 'GET', path: '/batch/usual', route: '/batch/{what}' },
      body_encoding: 'json',
      body: { endpoint: '/batch/{what}', method: 'GET' },
    });
    expect(server.calls('request-1')).toEqual(ALL);
  });

  test('lets another plugin run between the hooks', async () => {
    const between = await start(
      'priority: 10',
      `  tag: { path: ${compilePlugin('tag')}, config: { tag: a }, priority: 20 }`,
    );
    const { headers, body } = await between.ask('usual', 'between');
    expect(headers.get('x-last')).toBe('a');
    expect(JSON.parse(body)).toMatchObject({
      told: { headers: { 'x-last': 'a' }, context: { a: true, last: 'a' } },
    });
    expect(between.calls('between')).toEqual(ALL);
  });
});

describe('a hook that fails', () => {
  test.each([
    ['before_request', 200, ALL],
    ['process_endpoint', 503, ALL],
    ['after_response', 200, ALL],
  ])('%s crashes: the log names the hook, and no hook runs twice', async (hook, status, calls) => {
    const server = await start();
    expect(await server.ask(`crash-${hook}`, 'crash')).toMatchObject({ status });
    expect(server.calls('crash')).toEqual(calls);
    const reported = (): boolean => server.log.some(({ fields }) => fields['phase'] === hook);
    await eventually(reported, 'the report of the crash');
    expect(await server.ask('silent', 'next')).toMatchObject({ status: 200 });
  });

  test('in after_response of a critical plugin replaces the answer of the plugin by a 503', async () => {
    const server = await start('critical: true');
    const { status, body } = await server.ask('crash-after_response', 'crash');
    expect({ status, code: (JSON.parse(body) as { code: string }).code }).toEqual({
      status: 503,
      code: 'BW_PLUGIN_CRASHED',
    });
    expect(server.calls('crash')).toEqual(ALL);
  });

  test.each(['before_request', 'process_endpoint', 'after_response'])(
    '%s hangs: the process is stopped at the deadline, and no hook runs twice',
    async (hook) => {
      const server = await start('', '', '300ms');
      const { status } = await server.ask(`hang-${hook}`, 'hang');
      expect(status).toBe(hook === 'process_endpoint' ? 504 : 200);
      expect(server.calls('hang')).toEqual(ALL);
      expect(server.log).toContainEqual(
        expect.objectContaining({
          fields: expect.objectContaining({ code: 'BW_PLUGIN_TIMEOUT', phase: hook }),
        }),
      );
    },
  );

  test('each hook has its own deadline', async () => {
    // Three hooks of 1.5 s each: together they take longer than each of them may.
    const server = await start('', '', '4s');
    const { status } = await server.ask('slow-everywhere', 'slow');
    expect(status).toBe(200);
    expect(server.calls('slow')).toEqual(ALL);
  });

  test('only the crashed hook is retried', async () => {
    const server = await start('retry: { attempts: 2, on: [crash] }');
    expect(await server.ask('crash-process_endpoint', 'again')).toMatchObject({ status: 503 });
    const [first, ...rest] = server.calls('again');
    expect(first).toBe('before_request');
    expect(rest.filter((hook) => hook === 'process_endpoint').length).toBeGreaterThan(1);
    expect(rest.filter((hook) => hook === 'before_request')).toEqual([]);
  });
});

/** The process may already have ended without the server having noticed. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

test('no hook runs twice when processes are killed at any moment', async () => {
  const server = await start('instances: 2');
  const end = Date.now() + 3000;
  let asked = 0;
  let answered = 0;
  const client = async (): Promise<void> => {
    while (Date.now() < end) {
      const { status } = await server.ask('silent', `r-${(asked += 1)}`);
      if (status === 200) answered += 1;
    }
  };
  const killer = async (): Promise<void> => {
    while (Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const { processes } = server.plugin('batched');
      const victim = processes.find(({ state }) => state === 'ready');
      if (victim !== undefined) kill(victim.pid);
    }
  };
  await Promise.all([killer(), ...Array.from({ length: 32 }, client)]);
  expect(answered).toBeGreaterThan(0);
  expect([...server.notes()].filter(([, count]) => count > 1)).toEqual([]);
  // Each hook of an answered request ran, even if its process was killed.
  expect(server.notes().size).toBeGreaterThanOrEqual(answered);
});
