import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { Semaphore } from '../dist/semaphore.js';

test('at most the given number of tasks run at the same time, in the order of the requests', async () => {
  const semaphore = new Semaphore(2);
  const begun: number[] = [];
  let running = 0;
  let most = 0;
  const work = async (index: number): Promise<void> => {
    begun.push(index);
    most = Math.max(most, (running += 1));
    await setImmediate();
    running -= 1;
  };
  await Promise.all(Array.from({ length: 7 }, (_, index) => semaphore.run(() => work(index))));
  expect(most).toBe(2);
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test('a task with order `last` waits until no other task is waiting', async () => {
  const semaphore = new Semaphore(1);
  const begun: string[] = [];
  const work = (name: string) => async () => void begun.push(name);
  const release = await semaphore.acquire();
  const all = [
    semaphore.run(work('spare'), 'last'),
    semaphore.run(work('first')),
    semaphore.run(work('second')),
  ];
  release();
  await Promise.all(all);
  expect(begun).toEqual(['first', 'second', 'spare']);
});

test('failing work releases its slot, and a slot is released only once', async () => {
  const semaphore = new Semaphore(1);
  await expect(semaphore.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  const release = await semaphore.acquire();
  release();
  release();
  const held = await semaphore.acquire();
  let entered = false;
  const waiting = semaphore.acquire().then((next) => {
    entered = true;
    next();
  });
  await setImmediate();
  expect(entered).toBe(false);
  held();
  await waiting;
  expect(entered).toBe(true);
});
