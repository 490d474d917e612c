import { expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually, startServer } from '../fixtures/server.js';

test('a plugin whose thread floods the server with requests is stopped, and its log lines stay few and short', async () => {
  const server = await startServer(`
endpoints:
  start: { path: /start, plugin: asker }
  hello: { path: /hello, response: { body: { hello: world } } }
plugins:
  asker: { path: ${compilePlugin('asks_outside_calls')}, limits: { log_rate: 16KiB }, quarantine: { failures: 0 } }
`);
  expect(await server.get('/start')).toMatchObject({ status: 200, body: { started: true } });
  const failed = (): boolean => server.plugin('asker').failures.length > 0;
  await eventually(failed, 'the end of the process');
  expect(await server.get('/hello')).toMatchObject({ status: 200 });
  expect(server.plugin('asker').failures[0]).toMatchObject({
    code: 'BW_PLUGIN_PROTOCOL',
    message: expect.stringContaining('more than 100 requests in a second outside a call'),
  });
  const about = server.log.filter(({ fields }) => fields.plugin === 'asker');
  const bytes = about.reduce((sum, { message }) => sum + message.length, 0);
  expect(bytes).toBeLessThan(64 * 1024);
  const refused = about.filter(({ fields }) => fields.code === 'BW_PLUGIN_CALL_REFUSED');
  expect(refused.length).toBeGreaterThan(0);
  for (const { message } of refused) {
    expect(message).toMatch(/^plugin asker may not call \\x1b\[31m\\nforgedA+…: outside of a call$/);
    expect(message.length).toBeLessThan(200);
  }
});
