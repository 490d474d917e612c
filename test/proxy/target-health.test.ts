import { expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { RetryBudget } from '../../dist/proxy/retry-budget.js';
import { type TargetChange, TargetHealth } from '../../dist/proxy/target-health.js';

const CHECKS = { path: '/', intervalMs: 1, timeoutMs: 1, healthyAfter: 2, unhealthyAfter: 2, statuses: [] };

function healthOf(failures: number, resetAfterMs: number) {
  const changes: TargetChange[] = [];
  const health = new TargetHealth({ failures, resetAfterMs }, CHECKS, (change) => changes.push(change));
  return { health, changes };
}

test('failures in a row open the circuit; an answer in between starts the count again', () => {
  const { health, changes } = healthOf(2, 60_000);
  health.failed(health.begin(), 'a');
  health.passed(health.begin());
  health.failed(health.begin(), 'b');
  expect(health.state).toBe('up');
  health.failed(health.begin(), 'did not answer (ECONNREFUSED)');
  expect([health.state, health.isAvailable]).toEqual(['out', false]);
  expect(changes).toEqual([
    {
      from: 'up',
      to: 'out',
      reason: '2 requests in a row failed; the last one: did not answer (ECONNREFUSED)',
    },
  ]);
});

test('after the pause one request at a time tries the target, until one is answered', async () => {
  const { health, changes } = healthOf(1, 30);
  health.failed(health.begin(), 'a');
  await sleep(40);
  expect(health.isAvailable).toBe(true);
  const trial = health.begin();
  expect(health.isAvailable).toBe(false);
  health.failed(trial, 'b');
  expect([health.isAvailable, health.state]).toEqual([false, 'out']);
  await sleep(40);
  health.abandoned(health.begin());
  expect(health.isAvailable).toBe(true);
  health.passed(health.begin());
  expect(health.state).toBe('up');
  expect(changes.map(({ to }) => to)).toEqual(['out', 'up']);
});

test('an answer to a request from before the circuit opened does not close it', () => {
  const { health } = healthOf(1, 60_000);
  const early = health.begin();
  health.failed(health.begin(), 'a');
  health.passed(early);
  expect(health.state).toBe('out');
});

test('checks decide whether a target is down, and passing ones close its circuit', () => {
  const { health, changes } = healthOf(1, 60_000);
  health.failed(health.begin(), 'a');
  health.checked('status 503');
  health.checked(null);
  health.checked('status 503');
  expect(health.state).toBe('out');
  health.checked('status 500');
  expect([health.state, health.isAvailable]).toEqual(['down', false]);
  health.checked(null);
  expect(health.state).toBe('down');
  health.checked(null);
  expect([health.state, health.isAvailable, health.reason]).toEqual(['up', true, null]);
  expect(changes.map(({ reason }) => reason)).toEqual([
    'one request failed; the last one: a',
    '2 checks in a row failed; the last one: status 500',
    '2 checks in a row passed',
  ]);
});

test('a budget allows a share of the requests besides its reserve, and nothing at 0%', () => {
  const take = (budget: RetryBudget): number => {
    let count = 0;
    while (count < 2000 && budget.withdraw()) count += 1;
    return count;
  };
  const budget = new RetryBudget(20);
  const reserve = take(budget);
  expect(reserve).toBeGreaterThanOrEqual(100);
  for (let i = 0; i < 1000; i += 1) budget.deposit();
  const saved = take(budget);
  expect(saved).toBeGreaterThanOrEqual(190);
  expect(saved).toBeLessThan(300);

  const none = new RetryBudget(0);
  for (let i = 0; i < 1000; i += 1) none.deposit();
  expect(take(none)).toBe(0);
});
