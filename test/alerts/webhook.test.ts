import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Alert } from '../../dist/alerts/alert.js';
import { type Delivery, Webhook } from '../../dist/alerts/webhook.js';
import { silentLog } from '../../dist/log.js';
import { eventually } from '../fixtures/server.js';
import { Receiver } from './receiver.js';

let receiver: Receiver;
let counts: Record<Delivery, number>;

beforeEach(async () => {
  receiver = await Receiver.open();
  counts = { delivered: 0, failed: 0, dropped: 0 };
});
afterEach(() => receiver.close());

function open(attempts = 3): Webhook {
  return new Webhook({
    settings: { webhook: receiver.url, headers: {}, timeoutMs: 60_000, retry: { attempts, delayMs: 1 } },
    log: silentLog,
    count: (delivery) => void (counts[delivery] += 1),
  });
}

const alert = (changes: number): Alert => ({
  version: 1,
  event: 'failed',
  time: '2026-01-01T00:00:00.000Z',
  server: { name: 'a', version: '1', backworks: '1', host: 'h' },
  plugin: 'p',
  critical: false,
  from: 'ready',
  to: 'failed',
  reason: null,
  code: null,
  changes,
  failure: null,
});

test.each([500, 503, 429, 408])('an alert answered with %i is retried', async (status) => {
  const webhook = open();
  receiver.answer = (response) => {
    receiver.answer = (next) => next.writeHead(200).end('thank you');
    response.writeHead(status).end();
  };
  webhook.send(alert(1));
  await eventually(() => counts.delivered === 1, 'the delivery');
  expect(receiver.received.length).toBe(2);
  await webhook.close(0);
});

test.each([400, 401, 404])('an alert answered with %i is not retried', async (status) => {
  const webhook = open();
  receiver.answer = (response) => response.writeHead(status).end();
  webhook.send(alert(1));
  await eventually(() => counts.failed === 1, 'the failure');
  expect(receiver.received.length).toBe(1);
  await webhook.close(0);
});

test('a redirect is a failure and is not followed', async () => {
  const webhook = open();
  receiver.answer = (response) => response.writeHead(307, { location: '/elsewhere' }).end();
  webhook.send(alert(1));
  await eventually(() => counts.failed === 1, 'the failure');
  expect(receiver.received.map(({ path }) => path)).toEqual(['/hook']);
  await webhook.close(0);
});

test('a broken connection is retried until the attempts are used up', async () => {
  const webhook = open(3);
  receiver.answer = (response) => response.destroy();
  webhook.send(alert(1));
  await eventually(() => counts.failed === 1, 'the failure');
  expect(receiver.received.length).toBe(3);
  await webhook.close(0);
});

test('alerts are posted one after the other, in order', async () => {
  const webhook = open();
  let busy = 0;
  let most = 0;
  receiver.answer = (response) => {
    most = Math.max(most, ++busy);
    setImmediate(() => {
      busy -= 1;
      response.end();
    });
  };
  for (let changes = 1; changes <= 20; changes += 1) webhook.send(alert(changes));
  await webhook.close(60_000);
  expect(receiver.received.map(({ alert: { changes } }) => changes)).toEqual(
    Array.from({ length: 20 }, (_, index) => index + 1),
  );
  expect(most).toBe(1);
});

test('at most 100 alerts wait; the oldest are dropped', async () => {
  const webhook = open();
  receiver.answer = null;
  webhook.send(alert(0));
  await eventually(() => receiver.received.length === 1, 'the first');
  for (let changes = 1; changes <= 150; changes += 1) webhook.send(alert(changes));
  expect(counts.dropped).toBe(50);
  receiver.answer = (response) => response.end();
  await receiver.close();
  receiver = await Receiver.open(receiver.port);
  await webhook.close(60_000);
  const told = receiver.received.map(({ alert: { changes } }) => changes);
  expect(told.slice(-100)).toEqual(Array.from({ length: 100 }, (_, index) => index + 51));
});

test('an alert sent after close() is counted as dropped', async () => {
  const webhook = open();
  await webhook.close(0);
  webhook.send(alert(1));
  expect(counts).toEqual({ delivered: 0, failed: 0, dropped: 1 });
});
