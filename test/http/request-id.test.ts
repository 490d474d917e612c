import { expect, test } from '@jest/globals';
import { newRequestId } from '../../dist/http/request-id.js';

const UUID_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('request ids are random UUIDs, all different', () => {
  const ids = Array.from({ length: 1000 }, newRequestId);
  expect(ids.filter((id) => !UUID_4.test(id))).toEqual([]);
  expect(new Set(ids).size).toBe(ids.length);
  // Every digit that is not fixed takes every possible value.
  for (const place of [0, 7, 9, 15, 20, 24, 35]) {
    expect(new Set(ids.map((id) => id[place])).size).toBe(16);
  }
});
