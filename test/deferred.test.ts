import { expect, test } from '@jest/globals';
import { Deferred, type Listener } from '../dist/deferred.js';

/** Records the calls it receives. */
function listener(): Listener<number> & { told: unknown[] } {
  const told: unknown[] = [];
  return { told, answered: (value) => void told.push(value), failed: (error) => void told.push(error) };
}

test('a listener is called synchronously, whether it is added before or after the answer', () => {
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

test('atHand is the answer once resolved, and the Deferred itself otherwise', () => {
  const [answered, failed] = [new Deferred<number>(), new Deferred<number>()];
  expect(answered.atHand).toBe(answered);
  answered.resolve(0);
  failed.reject('broken');
  expect(answered.atHand).toBe(0);
  expect(failed.atHand).toBe(failed);
});

test('a Deferred can be awaited', async () => {
  const [answered, failed] = [new Deferred<number>(), new Deferred<number>()];
  setImmediate(() => answered.resolve(7));
  failed.reject(new Error('broken'));
  expect(await answered).toBe(7);
  await expect(failed).rejects.toThrow('broken');
  expect(await answered.then((value) => value + 1)).toBe(8);
});
