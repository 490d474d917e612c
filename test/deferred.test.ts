import { expect, test } from '@jest/globals';
import { Deferred, type Listener } from '../dist/deferred.js';

/** Writes down what it is told. */
function listener(): Listener<number> & { told: unknown[] } {
  const told: unknown[] = [];
  return { told, answered: (value) => void told.push(value), failed: (error) => void told.push(error) };
}

test('a listener hears of an answer at once, whether it waits or comes later', () => {
  const [waiting, late] = [listener(), listener()];
  const first = new Deferred<number>();
  first.listen(waiting);
  first.resolve(1);
  expect(waiting.told).toEqual([1]);

  const second = new Deferred<number>();
  second.reject('broken');
  second.listen(late);
  expect(late.told).toEqual(['broken']);
});

test('only the first outcome counts', () => {
  const heard = listener();
  const answer = new Deferred<number>();
  answer.listen(heard);
  answer.resolve(1);
  answer.resolve(2);
  answer.reject('too late');
  expect(heard.told).toEqual([1]);
});

test('an answer that is there is at hand; before that, and without one, the wait is', () => {
  const [answered, failed] = [new Deferred<number>(), new Deferred<number>()];
  expect(answered.atHand).toBe(answered);
  answered.resolve(0);
  failed.reject('broken');
  expect(answered.atHand).toBe(0);
  expect(failed.atHand).toBe(failed);
});

test('it can be awaited', async () => {
  const [answered, failed] = [new Deferred<number>(), new Deferred<number>()];
  setImmediate(() => answered.resolve(7));
  failed.reject(new Error('broken'));
  expect(await answered).toBe(7);
  await expect(failed).rejects.toThrow('broken');
  expect(await answered.then((value) => value + 1)).toBe(8);
});
