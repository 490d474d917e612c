import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer } from './server.mjs';

let server;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

const ORDER = { symbol: 'ACME', side: 'sell', quantity: 100, price: '0.0001' };

const send = (order) =>
  fetch(`${server.url}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(order),
  });

test('an order within the rules is accepted', async () => {
  const response = await send(ORDER);
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { accepted: true, notional: '0.0100' });
});

for (const [field, wrong] of [
  ['symbol', { symbol: 'XYZ' }],
  ['side', { side: 'hold' }],
  ['quantity', { quantity: 0 }],
  ['quantity', { quantity: 1.5 }],
  ['price', { price: '1.23456' }],
  ['price', { price: '-1' }],
  ['price', { price: 12.5 }],
  ['notional', { price: '1000', quantity: 51 }],
]) {
  test(`an order with ${JSON.stringify(wrong)} is refused for its ${field}`, async () => {
    const response = await send({ ...ORDER, ...wrong });
    assert.equal(response.status, 422);
    const { accepted, errors } = await response.json();
    assert.deepEqual([accepted, errors.map((error) => error.field)], [false, [field]]);
  });
}
