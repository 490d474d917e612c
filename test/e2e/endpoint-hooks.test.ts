/** Plugins that are bound to endpoints with `hooks:`. */
import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { backworks, scratch } from '../cli/command.js';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { startServer, type TestServer } from '../fixtures/server.js';

ownCache();
const directory = scratch();
afterAll(() => directory.remove());
let server: TestServer | undefined;
afterEach(async () => {
  await server?.backworks.stop();
  server = undefined;
});

const PLUGINS = `
plugins:
  keys: { path: ${compilePlugin('denies')}, on_failure: refuse }
  shown: { path: ${compilePlugin('shows_config')}, priority: 200 }
  echo: { path: ${compilePlugin('echo')}, hooks: endpoints }
`;

const CONFIGURATION = `
endpoints:
  open: { path: /open, response: { body: open } }
  guarded: { path: /guarded, hooks: [keys], response: { body: guarded } }
  shown: { path: /shown, plugin: echo, hooks: [{ plugin: shown, config: { level: full, price: 1.50 } }] }
  plain: { path: "/plain", plugin: echo, hooks: [shown] }
${PLUGINS}`;

interface Echoed {
  readonly context: object;
  readonly config?: unknown;
}

async function text(path: string): Promise<string> {
  return (await fetch(server!.url + path)).text();
}

test('the hooks of a listed plugin run for the requests of its endpoints, and for no others', async () => {
  server = await startServer(CONFIGURATION);
  expect(await server.get('/guarded')).toMatchObject({ status: 401 });
  expect(await server.get('/open')).toMatchObject({ status: 200, body: 'open' });
  expect((await server.get('/open')).headers.get('x-after')).toBeNull();
  expect(await server.get('/nowhere')).toMatchObject({ status: 404 });
  expect(server.plugin('keys')).toMatchObject({ hookScope: 'endpoints' });
});

test('a plugin gets the configuration that an endpoint gives it, in both documents and digit for digit', async () => {
  server = await startServer(CONFIGURATION);
  const { headers, body } = await server.get('/shown');
  const { context, config } = body as Echoed;
  expect(context).toEqual({ config: { level: 'full', price: 1.5 } });
  expect(await text('/shown')).toContain('"config":{"level":"full","price":1.50}');
  expect(headers.get('x-after')).toBe('config');
  // Another plugin does not get it, nor what a plugin puts in its place.
  expect(config).toBeUndefined();
});

test('an endpoint may list a plugin without a configuration', async () => {
  server = await startServer(CONFIGURATION);
  const { headers, body } = await server.get('/plain');
  expect((body as Echoed).context).toEqual({ config: 'none' });
  expect(headers.get('x-after')).toBe('none');
});

test('with hooks: all, the hooks run everywhere, and an endpoint may still give the plugin a configuration', async () => {
  server = await startServer(CONFIGURATION.replace('priority: 200', 'priority: 200, hooks: all'));
  expect((await server.get('/open')).headers.get('x-after')).toBe('none');
  expect((await server.get('/shown')).headers.get('x-after')).toBe('config');
  expect((await server.get('/nowhere')).headers.get('x-after')).toBe('none');
});

test('an endpoint refuses requests while a plugin it lists does not start, and other endpoints serve', async () => {
  const guard = `{ path: ${compilePlugin('security')}, config: { starts: false } }`;
  server = await startServer(`
endpoints:
  open: { path: /open, response: { body: open } }
  guarded: { path: /guarded, hooks: [guard], response: { body: guarded } }
plugins: { guard: ${guard} }
`);
  expect(await server.get('/guarded')).toMatchObject({ status: 503, body: { plugin: 'guard' } });
  expect(await server.get('/open')).toMatchObject({ status: 200 });
});

test('a reload binds and unbinds a plugin, and its process stays', async () => {
  server = await startServer(CONFIGURATION);
  const [process] = server.plugin('keys').processes;
  await server.change(CONFIGURATION.replace('/open,', '/open, hooks: [keys],'));
  expect(await server.get('/open')).toMatchObject({ status: 401 });
  await server.change(CONFIGURATION.replace('hooks: [keys], ', ''));
  // No endpoint lists it any more, so its hooks run for all requests.
  expect(await server.get('/open')).toMatchObject({ status: 401 });
  await server.change(CONFIGURATION);
  expect(await server.get('/open')).toMatchObject({ status: 200 });
  expect(server.plugin('keys').processes.map(({ pid }) => pid)).toContain(process?.pid);
});

const file = (yaml: string): string => {
  const path = `${directory.path}/backworks.yaml`;
  writeFileSync(path, yaml);
  return path;
};

test('config print --routes shows what requests pass, in order', async () => {
  const path = file(CONFIGURATION.replace('on_failure: refuse', 'on_failure: refuse, hooks: all'));
  const { code, stdout } = await backworks(['config', 'print', '--routes', path]);
  expect(code).toBe(0);
  expect(stdout.split('\n').map((line) => line.replaceAll(/ {2,}/g, ' | ').trimEnd())).toEqual([
    'ENDPOINT | METHODS | PATH | BEFORE | ANSWER | AFTER',
    'open | all | /open | keys | response 200 | -',
    'guarded | all | /guarded | keys | response 200 | -',
    'shown | all | /shown | keys → shown | plugin echo | shown',
    'plain | all | /plain | keys → shown | plugin echo | shown',
    '(any other) | all | * | keys | unmatched: plugins-without-endpoint | -',
    '',
  ]);
  const json = await backworks(['config', 'print', '--routes', '--json', path]);
  const { routes } = JSON.parse(json.stdout) as { routes: object[] };
  expect(routes[2]).toEqual({
    endpoint: 'shown',
    methods: [],
    path: '/shown',
    before: ['keys', 'shown'],
    answer: 'plugin echo',
    after: ['shown'],
  });
});

test.each([
  ['hooks: [key]', /endpoints\.guarded\.hooks\[0\]: no plugin is called "key" — did you mean "keys"\?/],
  [
    'hooks: [nobody]',
    /no plugin is called "nobody" — add it to plugins; a plugin of plugins\.auto_discover needs/,
  ],
  [
    'hooks: [keys, { plugin: keys }]',
    /endpoints\.guarded\.hooks\[1\]\.plugin: "keys" is already in the list/,
  ],
  ['hooks: [{ config: {} }]', /endpoints\.guarded\.hooks\[0\]: the key "plugin" is missing/],
  ['hooks: [7]', /endpoints\.guarded\.hooks\[0\]: expected the name of a plugin, or a mapping/],
])('config check refuses %s', async (hooks, message) => {
  const path = file(`${CONFIGURATION.replace('hooks: [keys]', hooks)}\n  auto_discover: { enabled: true }\n`);
  const { code, stdout } = await backworks(['config', 'check', path]);
  expect({ code, stdout }).toEqual({ code: 3, stdout: expect.stringMatching(message) });
});

test('config check warns of a listed plugin that is disabled, and of hooks that never run', async () => {
  const path = file(CONFIGURATION.replace('on_failure: refuse', 'enabled: false'));
  const { code, stderr } = await backworks(['config', 'check', path]);
  expect(code).toBe(0);
  expect(stderr).toMatch(
    /endpoints\.guarded\.hooks\[0\]: plugin keys is disabled, so requests pass without its hooks/,
  );
  expect(stderr).toMatch(/plugins\.echo\.hooks: no endpoint lists the plugin, so its hooks never run/);
});
