import { copyFileSync, mkdirSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ConfigError, type PluginStatus } from '../../dist/index.js';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually, startServer, type TestServer } from '../fixtures/server.js';

/** Reloads while real plugins serve. */
const cache = ownCache();
const ENDPOINTS = 'endpoints: { one: { path: /one, plugin: one }, two: { path: /two, plugin: two } }';
const one = compilePlugin('config_echo');
const two = compilePlugin('reconfigurable');

const plugins = (first: string, second: string): string =>
  `${ENDPOINTS}\nplugins: { one: { path: ${one}, ${first} }, two: { path: ${two}, ${second} } }\n`;
const A = plugins('config: { n: 1 }', 'config: { n: 1 }');

const pids = ({ processes }: PluginStatus): number[] =>
  processes
    .filter(({ state }) => state === 'ready')
    .map(({ pid }) => pid)
    .sort();
const pidsOf = (server: TestServer, name: string): number[] => pids(server.plugin(name));
const actions = ({ plugins: changes }: Awaited<ReturnType<TestServer['change']>>): Record<string, string> =>
  Object.fromEntries(changes.map(({ name, action }) => [name, action]));
const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const gone = (all: readonly number[]): Promise<void> =>
  eventually(() => !all.some(isRunning), `the end of ${all.join(', ')}`);

async function refusal(change: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error: unknown = await change.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  return error as { code: string; message: string };
}

describe('each change causes the smallest action', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer(A);
  });
  afterAll(() => server.backworks.stop());

  test('no change keeps every process', async () => {
    const before = [...pidsOf(server, 'one'), ...pidsOf(server, 'two')];
    const report = await server.change(A);
    expect(actions(report)).toEqual({ one: 'keep', two: 'keep' });
    expect(report).toMatchObject({ settings: [], needsRestart: [], failed: [], reordered: false });
    expect([...pidsOf(server, 'one'), ...pidsOf(server, 'two')]).toEqual(before);
    expect(server.log.at(-1)?.message).toBe('configuration reloaded: nothing changed');
  });

  test('a changed priority takes effect at once and keeps the processes', async () => {
    const before = pidsOf(server, 'one');
    const report = await server.change(
      plugins('config: { n: 1 }, priority: 7, critical: true', 'config: { n: 1 }'),
    );
    expect(actions(report)).toEqual({ one: 'adjust', two: 'keep' });
    expect(server.plugin('one')).toMatchObject({ priority: 7, critical: true, calls: expect.anything() });
    expect(pidsOf(server, 'one')).toEqual(before);
    await server.change(A);
  });

  test('a changed configuration is passed to reconfigure(), and the processes stay', async () => {
    const before = pidsOf(server, 'two');
    expect(actions(await server.change(plugins('config: { n: 1 }', 'config: { n: 2 }')))).toEqual({
      one: 'keep',
      two: 'reconfigure',
    });
    expect((await server.get('/two')).body).toEqual({ config: { n: 2 }, pid: before[0], reconfigured: 1 });
    expect(pidsOf(server, 'two')).toEqual(before);
    await server.change(A);
  });

  test('a changed configuration replaces the processes when reconfigure() is missing or refuses', async () => {
    const before = { one: pidsOf(server, 'one'), two: pidsOf(server, 'two') };
    const report = await server.change(plugins('config: { n: 3 }', 'config: { refuse: 1 }'));
    expect(actions(report)).toEqual({ one: 'swap', two: 'reconfigure' });
    expect(report.failed).toEqual([]);
    expect((await server.get('/one')).body).toEqual({ n: 3 });
    expect((await server.get('/two')).body).toMatchObject({ config: { refuse: 1 }, reconfigured: 0 });
    await gone([...before.one, ...before.two]);
    await server.change(A);
  });

  test('plugins and endpoints are added, removed, disabled and enabled', async () => {
    const before = { one: pidsOf(server, 'one'), two: pidsOf(server, 'two') };
    const other = `endpoints: { three: { path: /three, plugin: three } }
plugins: { three: { path: ${one}, config: { n: 3 } }, two: { path: ${two}, enabled: false } }`;
    const report = await server.change(other);
    expect(actions(report)).toEqual({ three: 'load', two: 'unload', one: 'unload' });
    expect(report.endpoints).toEqual({ added: ['three'], removed: ['one', 'two'], changed: [] });
    expect((await server.get('/three')).body).toEqual({ n: 3 });
    // No endpoint has the path any more, and an endpoint names the plugin that is left.
    expect((await server.get('/one')).status).toBe(404);
    expect(server.backworks.plugins().map(({ name, state }) => [name, state])).toEqual([
      ['three', 'ready'],
      ['two', 'stopped'],
    ]);
    await gone([...before.one, ...before.two]);
    await server.change(A);
    expect((await server.get('/two')).body).toMatchObject({ config: { n: 1 } });
  });

  test('a changed order of plugins keeps their processes', async () => {
    const before = [...pidsOf(server, 'two'), ...pidsOf(server, 'one')];
    const reversed = `${ENDPOINTS}
plugins: { two: { path: ${two}, config: { n: 1 } }, one: { path: ${one}, config: { n: 1 } } }`;
    expect(await server.change(reversed)).toMatchObject({ reordered: true });
    expect(server.backworks.plugins().map(({ name }) => name)).toEqual(['two', 'one']);
    expect(server.backworks.plugins().flatMap(pids)).toEqual(before);
    await server.change(A);
  });

  test('server.body_limit takes effect at once, and a warning says that server.host needs a restart', async () => {
    const body = 'x'.repeat(2000);
    const post = async (): Promise<number> =>
      (await fetch(`${server.url}/one`, { method: 'POST', body })).status;
    expect(await post()).toBe(200);
    const report = await server.change(`server: { port: 0, host: 127.0.0.2, body_limit: 1kB }\n${A}`);
    expect(report).toMatchObject({ settings: ['server.body_limit'], needsRestart: ['server.host'] });
    expect(await post()).toBe(413);
    expect(server.log).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        message: 'takes effect after a restart of the server: server.host',
      }),
    );
    // Each reload names the setting until a restart.
    expect(await server.change(`server: { port: 0, host: 127.0.0.2 }\n${A}`)).toMatchObject({
      settings: ['server.body_limit'],
      needsRestart: ['server.host'],
    });
    expect(await post()).toBe(200);
    await server.change(A);
  });

  test('a changed body limit of an endpoint applies to later requests', async () => {
    const post = async (): Promise<number> =>
      (await fetch(`${server.url}/one`, { method: 'POST', body: 'x'.repeat(2000) })).status;
    const limited = (limit: string): string =>
      A.replace('plugin: one }', `plugin: one, body_limit: ${limit} }`);
    await server.change(limited('3kB'));
    expect(await post()).toBe(200);
    expect(await server.change(limited('1kB'))).toMatchObject({ endpoints: { changed: ['one'] } });
    expect(await post()).toBe(413);
    await server.change(A);
  });
});

describe('nothing changes', () => {
  test('when the file is invalid, and the log has the mistake', async () => {
    const server = await startServer(A);
    const before = pidsOf(server, 'one');
    const error = await refusal(server.change('plugins: { one: { pth: x } }'));
    expect(error).toBeInstanceOf(ConfigError);
    expect(server.log.at(-1)).toMatchObject({
      level: 'error',
      message: expect.stringMatching(/^reload failed: .*pth/),
    });
    expect((await server.get('/one')).body).toEqual({ n: 1 });
    expect(pidsOf(server, 'one')).toEqual(before);
    await server.backworks.stop();
  });

  test('when a critical plugin fails: other new processes end, and reconfigured plugins get their former configuration', async () => {
    const server = await startServer(A);
    const before = { one: pidsOf(server, 'one'), two: pidsOf(server, 'two') };
    const bad = compilePlugin('initialize_fails');
    const error = await refusal(
      server.change(
        plugins('config: { n: 2 }', 'config: { n: 2 }').replace(
          'plugins: {',
          `plugins: { bad: { path: ${bad}, critical: true },`,
        ),
      ),
    );
    expect(error).toMatchObject({
      code: 'BW_RELOAD_REFUSED',
      message: expect.stringMatching(/^nothing was changed: /),
    });
    const two2 = plugins('config: { n: 1 }, critical: true', 'config: { broken: 1 }, critical: true');
    expect(await refusal(server.change(two2))).toMatchObject({ code: 'BW_RELOAD_REFUSED' });
    expect(server.backworks.plugins().map(({ name, critical }) => [name, critical])).toEqual([
      ['one', false],
      ['two', false],
    ]);
    expect((await server.get('/one')).body).toEqual({ n: 1 });
    expect((await server.get('/two')).body).toMatchObject({ config: { n: 1 }, pid: before.two[0] });
    expect({ one: pidsOf(server, 'one'), two: pidsOf(server, 'two') }).toEqual(before);
    await server.backworks.stop();
  });

  test('when a reconfigured plugin refuses its former configuration: new processes start with that configuration', async () => {
    const with_ = (first: string, second: string): string =>
      `endpoints: { two: { path: /two, plugin: two } }
plugins: { two: { path: ${two}, config: ${first} }, three: { path: ${two}, critical: true, config: ${second} } }`;
    const server = await startServer(with_('{ n: 1 }', '{ n: 1 }'));
    const before = pidsOf(server, 'two');
    expect(await refusal(server.change(with_('{ stuck: 1 }', '{ broken: 1 }')))).toMatchObject({
      code: 'BW_RELOAD_REFUSED',
    });
    expect((await server.get('/two')).body).toMatchObject({ config: { n: 1 }, reconfigured: 0 });
    await gone(before);
    expect(server.plugin('two').state).toBe('ready');
    await server.backworks.stop();
  });

  test('in a dry run, and the report lists the planned changes', async () => {
    const server = await startServer(A);
    const before = pidsOf(server, 'one');
    const report = await server.change(
      plugins('config: { n: 2 }, timeouts: { call: 1s }', 'config: { n: 1 }'),
      {
        dryRun: true,
      },
    );
    expect(report).toMatchObject({ dryRun: true });
    expect(report.plugins[0]).toEqual({
      name: 'one',
      action: 'swap',
      changed: ['config.n', 'timeouts.call'],
    });
    expect((await server.get('/one')).body).toEqual({ n: 1 });
    expect(pidsOf(server, 'one')).toEqual(before);
    await server.backworks.stop();
  });
});

test('an optional plugin that refuses its new configuration serves with the former one, and the report names the plugin', async () => {
  const server = await startServer(A);
  const before = pidsOf(server, 'two');
  const report = await server.change(plugins('config: { n: 2 }', 'config: { broken: 1 }'));
  expect(report.failed).toMatchObject([{ name: 'two', previousServes: true }]);
  expect((await server.get('/one')).body).toEqual({ n: 2 });
  expect((await server.get('/two')).body).toMatchObject({ config: { n: 1 }, pid: before[0] });
  // The next reload still finds a difference.
  expect(actions(await server.change(plugins('config: { n: 2 }', 'config: { n: 3 }')))).toMatchObject({
    two: 'reconfigure',
  });
  expect((await server.get('/two')).body).toMatchObject({ config: { n: 3 } });
  await server.backworks.stop();
});

test('requests in flight keep the endpoints, plugins and limits they began with', async () => {
  const library = compilePlugin('operated');
  const with_ = (target: string, more: string): string =>
    `endpoints: { echo: { path: /echo, ${target} } }
plugins: { operated: { path: ${library}, timeouts: { call: 5s }, ${more} } }`;
  const server = await startServer(with_('plugin: operated', ''));
  const before = pidsOf(server, 'operated');
  // The request has begun, but its body is incomplete.
  const { port } = new URL(server.url);
  const request = http.request({ port, path: '/echo', method: 'POST', headers: { 'content-length': 3 } });
  const answer = new Promise<string>((resolve, reject) => {
    request.on('response', (response) => {
      response.setEncoding('utf8').on('data', resolve);
    });
    request.on('error', reject);
  });
  await new Promise<void>((resolve) => request.write('1', () => resolve()));
  // When a later request is answered, the server has read the beginning of this one.
  expect((await server.get('/echo')).body).not.toBe('static');
  const report = await server.change(
    `server: { port: 0, body_limit: 1B }\n${with_('response: { body: static }', 'instances: 2')}`,
  );
  expect(report).toMatchObject({ endpoints: { changed: ['echo'] } });
  expect(actions(report)).toEqual({ operated: 'swap' });
  expect((await server.get('/echo')).body).toBe('static');
  expect(before.every(isRunning)).toBe(true);
  request.end('23');
  expect(await answer).not.toContain('static');
  await gone(before);
  await server.backworks.stop();
});

test('of concurrent reloads, the newest file takes effect', async () => {
  const server = await startServer(A);
  const changes = [2, 3, 4, 5].map((n) => server.change(plugins(`config: { n: ${n} }`, 'config: { n: 1 }')));
  await Promise.all(changes);
  expect((await server.get('/one')).body).toEqual({ n: 5 });
  const reloads = server.log.filter(({ message }) => message.startsWith('configuration reloaded'));
  expect(reloads.length).toBeLessThan(4);
  await server.backworks.stop();
});

test('a reload swaps a library that changed on disk, and loads a library that was added to a directory', async () => {
  const directory = join(cache, 'plugins');
  mkdirSync(directory, { recursive: true });
  const library = join(directory, 'library.so');
  copyFileSync(one, library);
  const yaml = `plugins: { mine: { path: ${library}, config: { n: 1 } }, auto_discover: { directories: [${directory}] } }`;
  const server = await startServer(`endpoints: { any: { path: /any, plugin: mine } }\n${yaml}`);
  const again = (): ReturnType<TestServer['change']> =>
    server.change(`endpoints: { any: { path: /any, plugin: mine } }\n${yaml}`);
  copyFileSync(two, `${library}.new`);
  copyFileSync(`${library}.new`, library);
  copyFileSync(compilePlugin('answers'), join(directory, 'answers.so'));
  const report = await again();
  expect(actions(report)).toEqual({ mine: 'swap', answers: 'load' });
  expect((await server.get('/any')).body).toMatchObject({ config: { n: 1 }, reconfigured: 0 });
  await server.backworks.stop();
});

describe('the admin API', () => {
  const TOKEN = 'token-that-controls';
  const ask = (server: TestServer, path: string, token: string): Promise<Response> =>
    fetch(server.adminUrl + path, { method: 'POST', headers: { authorization: `Bearer ${token}` } });

  test('reloads only for the control token, shows a plan for a dry run, and answers 422 to an invalid file', async () => {
    const server = await startServer(A, { admin: `token: ${TOKEN}, read_token: reads` });
    expect((await ask(server, '/reload', 'reads')).status).toBe(403);
    expect((await ask(server, '/reload', 'other')).status).toBe(401);
    const plan = await ask(server, '/reload?dry_run=true', TOKEN);
    expect(await plan.json()).toMatchObject({
      dry_run: true,
      plugins: [{ name: 'one', action: 'keep' }, {}],
    });
    expect((await ask(server, '/reload?dry_run=perhaps', TOKEN)).status).toBe(400);
    server.write('plugins: [1]');
    const refused = await ask(server, '/reload', TOKEN);
    expect(refused.status).toBe(422);
    expect(await refused.json()).toMatchObject({ code: 'BW_CONFIG_INVALID' });
    server.write(A);
    expect((await ask(server, '/reload', TOKEN)).status).toBe(200);
    await server.backworks.stop();
  });

  test('accepts only the new token after a reload', async () => {
    const server = await startServer(A, { admin: () => `token: ${tokens.shift() ?? 'second'}` });
    await server.change(A);
    expect((await ask(server, '/reload', 'first')).status).toBe(401);
    expect((await ask(server, '/reload', 'second')).status).toBe(200);
    await server.backworks.stop();
  });
  const tokens = ['first'];
});

describe('an operator’s command', () => {
  const TOKEN = 'token-that-controls';
  const post = async (
    server: TestServer,
    path: string,
  ): Promise<{ status: number; body: Record<string, unknown> }> => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const response = await fetch(server.adminUrl + path, { method: 'POST', headers });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const start = (yaml: string): Promise<TestServer> => startServer(yaml, { admin: `token: ${TOKEN}` });

  test('stops a plugin only after its dependents and starts it before them', async () => {
    const yaml = `plugins: { base: { path: ${compilePlugin('needed')} }, user: { path: ${compilePlugin('needs_plugin')} } }`;
    const server = await start(yaml);
    for (const query of ['', '?force=true']) {
      expect(await post(server, `/plugins/base/disable${query}`)).toMatchObject({
        status: 409,
        body: { code: 'BW_PLUGIN_IN_USE', detail: 'plugin base is in use: other plugins depend on it: user' },
      });
    }
    expect(await post(server, '/plugins/user/disable')).toMatchObject({
      status: 200,
      body: { state: 'stopped', reason: 'disabled by an operator' },
    });
    expect(await post(server, '/plugins/base/unload')).toMatchObject({ body: { state: 'stopped' } });
    expect(await post(server, '/plugins/user/enable')).toMatchObject({
      status: 503,
      body: { code: 'BW_PLUGIN_DEPENDENCY' },
    });
    expect(await post(server, '/plugins/base/load')).toMatchObject({ body: { state: 'ready' } });
    expect(await post(server, '/plugins/user/enable')).toMatchObject({ body: { state: 'ready' } });
    await server.backworks.stop();
  });

  test('disables and enables a plugin with hooks under load, and no request fails', async () => {
    const tag = `tag: { path: ${compilePlugin('tag')}, config: { tag: a }, timeouts: { call: 10s } }`;
    const first = `one: { path: ${one}, config: { n: 1 }, timeouts: { call: 10s } }`;
    const server = await start(
      `endpoints: { one: { path: /one, plugin: one } }\nplugins: { ${first}, ${tag} }`,
    );
    const statuses = new Set<number>();
    let running = true;
    const load = Array.from({ length: 8 }, async () => {
      while (running) statuses.add((await server.get('/one')).status);
    });
    for (let turn = 0; turn < 5; turn += 1) {
      expect(await post(server, '/plugins/tag/disable')).toMatchObject({ status: 200 });
      expect((await server.get('/one')).headers.has('x-a')).toBe(false);
      expect(await post(server, '/plugins/tag/enable')).toMatchObject({ status: 200 });
      expect((await server.get('/one')).headers.get('x-a')).toBe('seen');
    }
    running = false;
    await Promise.all(load);
    expect([...statuses]).toEqual([200]);
    await server.backworks.stop();
  });

  test('that stops a plugin also removes its circuit, and the next start begins with a closed circuit', async () => {
    const crashing = compilePlugin('operated');
    const server = await start(`endpoints: { crash: { path: /crash, plugin: operated } }
plugins: { operated: { path: ${crashing}, circuit_breaker: { failures: 1, reset_after: 1h } } }`);
    const circuits = async (): Promise<string[]> => {
      const headers = { authorization: `Bearer ${TOKEN}` };
      const text = await (await fetch(`${server.adminUrl}/metrics`, { headers })).text();
      return text.match(/^backworks_plugin_circuit_state{.*$/gm) ?? [];
    };
    await server.get('/crash');
    expect(await circuits()).toEqual(['backworks_plugin_circuit_state{plugin="operated"} 2']);
    await post(server, '/plugins/operated/disable?force=true');
    expect(await circuits()).toEqual([]);
    await post(server, '/plugins/operated/enable');
    expect(await circuits()).toEqual(['backworks_plugin_circuit_state{plugin="operated"} 0']);
    await server.backworks.stop();
  });

  test('refuses a path or a file name in place of a plugin name', async () => {
    const server = await start(A);
    for (const name of [one, '../fixtures/config_echo.so', 'config_echo.so']) {
      expect(await post(server, `/plugins/${encodeURIComponent(name)}/load`)).toMatchObject({
        body: { code: 'BW_PLUGIN_UNKNOWN' },
      });
    }
    await server.backworks.stop();
  });
});
