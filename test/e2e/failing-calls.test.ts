import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { startServer, type TestServer } from '../fixtures/server.js';

describe.each(['process', 'in-process'])('a plugin that calls fail(), isolation: %s', (isolation) => {
  let server: TestServer;

  beforeAll(async () => {
    const entry = (): string =>
      `{ path: ${compilePlugin('calls_fail')}, isolation: ${isolation}, trusted: true, circuit_breaker: { failures: 100 } }`;
    server = await startServer(`
endpoints:
  plugin: { path: "/{case}", plugin: optional }
  static: { path: "/static/{case}", response: { status: 200, body: served } }
plugins:
  optional: ${entry()}
`);
  });

  afterAll(() => server.backworks.stop());

  test('an answer is sent when fail() is not called', async () => {
    const response = await fetch(`${server.url}/fine`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ answer: 42 });
  });

  test('fail() in process_endpoint gives a 500 that names the plugin, and the returned answer is dropped', async () => {
    const response = await fetch(`${server.url}/fail-endpoint`);
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ code: 'BW_PLUGIN_FAILED', plugin: 'optional' });
  });

  test('fail() without a message fails the call too', async () => {
    expect((await fetch(`${server.url}/fail-silently`)).status).toBe(500);
  });

  test.each(['/static/fail-before', '/static/fail-after'])(
    '%s: an optional plugin whose hook fails is skipped',
    async (path) => {
      const response = await fetch(server.url + path);
      expect(response.status).toBe(200);
      expect(await response.text()).toBe('served');
      expect(response.headers.has('x-after')).toBe(false);
    },
  );

  test('the message is in the log on one line, and the call after a failed one succeeds', async () => {
    await fetch(`${server.url}/fail-endpoint`);
    const lines = server.log.filter(({ fields }) => fields['code'] === 'BW_PLUGIN_FAILED');
    expect(lines.map(({ message }) => message)).toContain('plugin optional failed: the database\\nis gone');
    expect((await fetch(`${server.url}/fine`)).status).toBe(200);
  });
});
