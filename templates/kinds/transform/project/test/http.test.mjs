import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer } from './server.mjs';

let server;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

test('a member is removed, and the rest of the body stays as it was', async () => {
  const response = await fetch(`${server.url}/employees/7`);
  assert.equal(response.headers.get('x-served-by'), 'backworks');
  assert.equal(await response.text(), '{"id":7,"name":"Ada","rating":1.50}');
});

test('a body that is not JSON stays as it was', async () => {
  const response = await fetch(`${server.url}/note`);
  assert.equal(response.headers.get('x-served-by'), 'backworks');
  assert.equal(await response.text(), 'a text');
});
