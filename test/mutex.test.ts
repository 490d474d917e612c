import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { KeyedMutex, Mutex } from '../dist/mutex.js';

/** Records when each task begins and ends. */
function diary(): { lines: string[]; work: (name: string) => () => Promise<string> } {
  const lines: string[] = [];
  const work = (name: string) => async () => {
    lines.push(`${name} begins`);
    await setImmediate();
    lines.push(`${name} ends`);
    return name;
  };
  return { lines, work };
}

test('a mutex runs one task at a time, in the order of the requests, and returns their results', async () => {
  const mutex = new Mutex();
  const { lines, work } = diary();
  await expect(Promise.all([mutex.run(work('a')), mutex.run(work('b'))])).resolves.toEqual(['a', 'b']);
  expect(lines).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
});

test('work that rejects or throws synchronously releases the mutex', async () => {
  const mutex = new Mutex();
  const rejects = mutex.run(() => Promise.reject(new Error('rejected')));
  const throws = mutex.run(() => {
    throw new Error('thrown');
  });
  const after = mutex.run(() => Promise.resolve('after'));
  await expect(rejects).rejects.toThrow('rejected');
  await expect(throws).rejects.toThrow('thrown');
  await expect(after).resolves.toBe('after');
});

test("an acquired mutex is free after the first release, and a second release does not end another task's turn", async () => {
  const mutex = new Mutex();
  const { lines, work } = diary();
  const release = await mutex.acquire();
  const waiting = mutex.run(work('a'));
  const idle = mutex.idle().then(() => lines.push('idle'));
  await setImmediate();
  expect(lines).toEqual([]);
  release();
  const second = mutex.run(work('b'));
  release();
  await Promise.all([waiting, idle, second]);
  expect(lines).toEqual(['a begins', 'a ends', 'idle', 'b begins', 'b ends']);
});

test('a keyed mutex runs work of one key in order and work of different keys concurrently', async () => {
  const mutex = new KeyedMutex();
  const { lines, work } = diary();
  const failing = mutex.run('x', () => Promise.reject(new Error('no')));
  const all = [mutex.run('x', work('x')), mutex.run('x', work('again')), mutex.run('y', work('y'))];
  await expect(failing).rejects.toThrow('no');
  await mutex.idle();
  await Promise.all(all);
  expect(lines.indexOf('y begins')).toBeLessThan(lines.indexOf('x ends'));
  expect(lines.indexOf('x ends')).toBeLessThan(lines.indexOf('again begins'));
});
