import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer } from './server.mjs';

let server;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

const send = (body) =>
  fetch(`${server.url}/readings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

test('readings are scaled, and those outside of the limits are alarms', async () => {
  const response = await send({ sensor: 'press-1', raw: [100, 50, 900] });
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), {
    sensor: 'press-1',
    values: [0, -5, 80],
    alarms: [
      { index: 1, value: -5, limit: 'low' },
      { index: 2, value: 80, limit: 'high' },
    ],
  });
});

for (const body of [
  { raw: [1] },
  { sensor: 'a' },
  { sensor: 'a', raw: [] },
  { sensor: 'a', raw: ['1'] },
  [],
]) {
  test(`${JSON.stringify(body)} is refused`, async () => {
    const response = await send(body);
    assert.equal(response.status, 422);
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
  });
}
