import { afterAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ftruncateSync, writeSync } from 'node:fs';
import { ANSWER_RING_SIZE, CANCEL_SLOTS, Shared } from '../../../dist/native/protocol/protocol.js';
import { SharedPage } from '../../../dist/native/protocol/shared-page.js';

const page = new SharedPage();
afterAll(() => page.close());

/** Writes to the page as a runner would, or a plugin that found the mapping. */
function scribble(at: number, bytes: Uint8Array): void {
  writeSync(page.descriptor, bytes, 0, bytes.length, at);
}

function setProduced(produced: bigint): void {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(produced);
  scribble(Shared.PRODUCED, bytes);
}

test('the bytes that did not arrive are exactly the end of the stream, wherever the ring begins', () => {
  fc.assert(
    fc.property(fc.nat(1 << 30), fc.nat(ANSWER_RING_SIZE), (received, missing) => {
      const ring = Buffer.alloc(ANSWER_RING_SIZE);
      const expected = Buffer.alloc(missing);
      for (let index = 0; index < missing; index += 1) {
        expected[index] = (index * 31) % 251;
        ring[(received + index) % ANSWER_RING_SIZE] = expected[index] as number;
      }
      scribble(Shared.RING, ring);
      setProduced(BigInt(received + missing));
      expect(page.undelivered(received).equals(expected)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test('any counts give at most a ring of bytes, and none when they contradict the socket', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.nat(), (produced, received) => {
      setProduced(produced);
      const missing = produced - BigInt(received);
      const kept = missing > 0n && missing <= BigInt(ANSWER_RING_SIZE) ? Number(missing) : 0;
      expect(page.undelivered(received)).toHaveLength(kept);
    }),
  );
});

test('any header gives a call number', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      scribble(0, bytes);
      scribble(Shared.ENDED_BY, bytes.subarray(0, 4));
      scribble(Shared.RUNNING, bytes);
      const number = Buffer.from(bytes).readUInt32LE();
      expect(page.begun()).toBe(number);
      expect(page.endedBy()).toBe(number);
      expect(page.running(2)).toEqual([
        { id: number, thread: Buffer.from(bytes).readUInt32LE(4), runningForMs: expect.any(Number) },
        { id: 0, thread: 0, runningForMs: expect.any(Number) },
      ]);
    }),
  );
});

test('cancelling a call writes one slot and nothing else', () => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), (id) => {
      scribble(Shared.CANCELLED - 4, Buffer.alloc(4));
      scribble(Shared.RING, Buffer.alloc(4));
      page.cancel(id);
      expect(id % CANCEL_SLOTS).toBeLessThan(CANCEL_SLOTS);
      setProduced(4n);
      expect(page.undelivered(0)).toEqual(Buffer.alloc(4));
    }),
  );
});

test('a file of another size reads as zeros', () => {
  for (const size of [0, 10, Shared.RING + 5, Shared.SIZE * 1000]) {
    const other = new SharedPage();
    ftruncateSync(other.descriptor, size);
    expect(other.begun()).toBe(0);
    expect(other.running(3).map(({ id }) => id)).toEqual([0, 0, 0]);
    expect(other.undelivered(0)).toHaveLength(0);
    other.close();
  }
});

test('a closed page returns nothing and ignores writes', () => {
  const other = new SharedPage();
  other.close();
  other.close();
  other.cancel(7);
  expect(other.begun()).toBe(0);
  expect(other.undelivered(0)).toHaveLength(0);
});
