/** The example of the first design document compiles unchanged against the SDK, and serves. */
import { expect, test } from '@jest/globals';
import { startServer } from '../fixtures/server.js';
import { buildRust } from './rust-plugins.js';

test('the weather example of the design document serves unchanged', async () => {
  const { url } = await startServer(`
endpoints: { weather: { path: /weather, plugin: weather } }
plugins: { weather: { path: ${buildRust('rust-weather', 'my_custom_plugin')}, critical: true, timeouts: { call: 5s } } }
`);
  const response = await fetch(`${url}/weather`);
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ temperature: 25, humidity: 60 });
  expect((await fetch(`${url}/weather`, { method: 'POST' })).status).toBe(404);
}, 600_000);
