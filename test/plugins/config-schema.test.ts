/** Plugins with a schema for their configuration, in a running server. */
import { expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { createTestServer, startServer } from '../fixtures/server.js';

const library = compilePlugin('config_schema');
const yaml = (block: string, more = ''): string =>
  `endpoints: { e: { path: /e, plugin: p } }\nplugins:\n  p: { path: ${library}, ${more}config: ${block} }\n`;

test.each(['', 'isolation: in-process, trusted: true, '])(
  'initialize() also receives the defaults of the schema (%s)',
  async (isolation) => {
    const server = await startServer(yaml('{ api_key: long-enough, cache: { file: a } }', isolation));
    expect((await server.get('/e')).body).toEqual({
      api_key: 'long-enough',
      cache: { file: 'a', entries: 100 },
      units: 'metric',
      retries: 2,
    });
  },
);

test.each(['', 'isolation: in-process, trusted: true, '])(
  'a plugin whose configuration does not match its schema is not initialized (%s)',
  async (isolation) => {
    const server = await startServer(yaml('{ api_key: long-enough, retries: 6 }', isolation));
    const { state, reason } = server.plugin('p');
    expect(state).toBe('failed');
    expect(reason).toMatch(
      /^the configuration of plugin p is invalid: .*: plugins\.p\.config\.retries: expected a whole number from 0 to 5, found 6$/,
    );
    expect(server.log).toContainEqual(
      expect.objectContaining({ fields: expect.objectContaining({ code: 'BW_PLUGIN_CONFIG' }) }),
    );
    expect((await server.get('/e')).status).toBe(503);
  },
);

test('a critical plugin whose configuration does not match its schema stops the start', async () => {
  const { backworks } = createTestServer(yaml('{}', 'critical: true, '));
  await expect(backworks.start()).rejects.toMatchObject({
    code: 'BW_PLUGIN_CONFIG',
    exitCode: 3,
    outcome: 'setup_error',
    message: expect.stringContaining('plugins.p.config: the key "api_key" is missing') as unknown,
  });
});

test('a reload with a configuration that does not match the schema changes nothing', async () => {
  const server = await startServer(yaml('{ api_key: first-key }'));
  const former = server.plugin('p').processes[0]?.pid;
  await server.change(yaml('{ api_key: second-key, units: kelvin }'));
  expect((await server.get('/e')).body).toMatchObject({ api_key: 'first-key', units: 'metric' });
  await server.change(yaml('{ api_key: second-key }'));
  expect((await server.get('/e')).body).toMatchObject({ api_key: 'second-key', units: 'metric' });
  expect(server.plugin('p').processes[0]?.pid).toBe(former);
});

test.each([
  ['schema_redos', '{ name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa! }', /takes longer than 2000 ms/],
  ['schema_doubling', '{ a: 1 }', /takes (longer than 2000 ms|more than 64 MiB)/],
  ['schema_cycle', '{}', /refers to itself without end/],
  ['schema_deep', '{}', /nested more than 32 deep/],
  ['schema_huge', '{}', /not a list of 1 to 1024 values/],
  ['schema_remote', '{}', /not a reference within the schema/],
  ['schema_text', '{}', /manifest key "config_schema" is not an object/],
])('the server keeps serving beside %s', async (name, block, reason) => {
  const hostile = compilePlugin(name);
  const server = await startServer(
    `${yaml('{ api_key: long-enough }')}  bad: { path: ${hostile}, config: ${block} }\n`,
  );
  expect(server.plugin('bad').state).toBe('failed');
  expect(server.plugin('bad').reason).toMatch(reason);
  expect((await server.get('/e')).status).toBe(200);
});
