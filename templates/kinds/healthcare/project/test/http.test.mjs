import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer } from './server.mjs';

let server;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

const HEADER = 'MSH|^~\\&|LAB|CITY|HIS|WARD|20260102||ADT^A01|42|P|2.5';

const send = (message) =>
  fetch(`${server.url}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    body: message,
  });

test('a message with its segments is accepted', async () => {
  const response = await send(`${HEADER}\rPID|1||77||Lovelace^Ada\r`);
  assert.equal(response.status, 200);
  const { type, control_id, segments, ack } = await response.json();
  assert.deepEqual([type, control_id], ['ADT^A01', '42']);
  assert.deepEqual(segments[1], { name: 'PID', fields: ['1', '', '77', '', 'Lovelace^Ada'] });
  assert.equal(ack, 'MSH|^~\\&|HIS|WARD|LAB|CITY|20260102||ACK|42|P|2.5\rMSA|AA|42');
});

test('a message without a required segment gets an error as acknowledgement', async () => {
  const response = await send(HEADER);
  assert.equal(response.status, 200);
  assert.match((await response.json()).ack, /\rMSA\|AE\|42\|a segment PID is missing$/);
});

for (const text of ['hello', 'MSH', 'MSH|^~\\&|LAB', `${HEADER}\rpid|1`]) {
  test(`${JSON.stringify(text)} is refused`, async () => {
    const response = await send(text);
    assert.equal(response.status, 422);
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
  });
}
