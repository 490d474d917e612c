import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer } from './server.mjs';

let server;
before(async () => {
  server = await startServer({ API_KEY: 'a key of the test' });
});
after(() => server.stop());

const ask = (headers) => fetch(`${server.url}/orders`, { headers });

test('a request with the key passes', async () => {
  const response = await ask({ 'x-api-key': 'a key of the test' });
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { orders: [] });
});

for (const [what, headers] of [
  ['without a key', {}],
  ['with another key', { 'x-api-key': 'change-me' }],
  ['with the beginning of the key', { 'x-api-key': 'a key' }],
]) {
  test(`a request ${what} is refused`, async () => {
    const response = await ask(headers);
    assert.equal(response.status, 401);
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
  });
}
