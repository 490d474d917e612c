import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer } from './server.mjs';

let server;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

test('GET /hello/{name} greets', async () => {
  const response = await fetch(`${server.url}/hello/Ada%20Lovelace`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.deepEqual(await response.json(), { greetings: ['hello Ada Lovelace'] });
});

test('a name of more than 64 bytes is refused', async () => {
  const response = await fetch(`${server.url}/hello/${'x'.repeat(65)}`);
  assert.equal(response.status, 400);
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
});
