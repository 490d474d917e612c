/** The wire format of the Modbus example without sockets, under the sanitizers. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { goodReply } from './modbus-hostile-device.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'backworks-modbus-'));
const program = join(folder, 'modbus_wire');
const BUILD_MS = 300_000;

beforeAll(() => {
  const flags = ['-std=gnu11', '-g', '-Wall', '-Wextra', '-Werror', '-Iexamples/modbus'];
  const sanitize = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
  const sources = ['test/fixtures/peers/modbus_wire.c', 'examples/modbus/adu.c', 'examples/modbus/point.c'];
  execFileSync('cc', [...flags, ...sanitize, '-o', program, ...sources, '-lm'], { cwd: root, stdio: 'pipe' });
}, BUILD_MS);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What the program prints for each of the lines. */
function answers(lines: readonly string[]): string[] {
  const { status, stdout, stderr } = spawnSync(program, { input: `${lines.join('\n')}\n`, encoding: 'utf8' });
  if (status !== 0) throw new Error(`exit code ${String(status)}: ${stderr}`);
  return stdout.trimEnd().split('\n');
}

interface Request {
  readonly transaction: number;
  readonly unit: number;
  readonly code: number;
  readonly address: number;
  readonly quantity: number;
  readonly data: Uint8Array;
}

const MOST: Readonly<Record<number, number>> = {
  1: 2000,
  2: 2000,
  3: 125,
  4: 125,
  5: 1,
  6: 1,
  15: 1968,
  16: 123,
};
const requests: fc.Arbitrary<Request> = fc.constantFrom(...Object.keys(MOST).map(Number)).chain((code) =>
  fc.record({
    transaction: fc.nat(65535),
    unit: fc.nat(255),
    code: fc.constant(code),
    address: fc.nat(63000),
    quantity: fc.integer({ min: 1, max: MOST[code] ?? 1 }),
    data: fc.uint8Array({ minLength: 250, maxLength: 250 }),
  }),
);

const hex = (bytes: Uint8Array): string => (bytes.length === 0 ? '-' : Buffer.from(bytes).toString('hex'));
const line = ({ transaction, unit, code, address, quantity, data }: Request, reply: Uint8Array): string =>
  `d ${transaction} ${unit} ${code} ${address} ${quantity} ${hex(data)} ${hex(reply)}`;

/** The request as the specification lays it out. */
function requestBytes({ transaction, unit, code, address, quantity, data }: Request): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(transaction, 0);
  head.writeUInt8(unit, 6);
  head.writeUInt8(code, 7);
  head.writeUInt16BE(address, 8);
  head.writeUInt16BE(quantity, 10);
  if (code === 5) head.writeUInt16BE(((data[0] ?? 0) & 1) === 1 ? 0xff00 : 0, 10);
  if (code === 6) head.set(data.subarray(0, 2), 10);
  const bytes = code === 15 ? Math.ceil(quantity / 8) : code === 16 ? quantity * 2 : 0;
  const adu = bytes === 0 ? head : Buffer.concat([head, Buffer.from([bytes]), data.subarray(0, bytes)]);
  adu.writeUInt16BE(adu.length - 6, 4);
  return adu;
}

test('requests are laid out as the specification says, and their replies are understood', () => {
  fc.assert(
    fc.property(fc.array(requests, { minLength: 100, maxLength: 100 }), (list) => {
      const replies = list.map((request) => goodReply(requestBytes(request)));
      const expected = list.map((request, i) => {
        const data = request.code <= 4 ? hex(replies[i]?.subarray(9) ?? Buffer.alloc(0)) : '-';
        return `${hex(requestBytes(request))} answered 0 ${data}`;
      });
      expect(answers(list.map((request, i) => line(request, replies[i] ?? Buffer.alloc(0))))).toEqual(
        expected,
      );
    }),
    { numRuns: 10 },
  );
});

test('every part of a reply is incomplete, and every wrong byte of its head is refused', () => {
  const damage = fc.record({
    request: requests,
    cut: fc.nat(300),
    at: fc.nat(8),
    by: fc.integer({ min: 1, max: 127 }),
  });
  fc.assert(
    fc.property(fc.array(damage, { minLength: 100, maxLength: 100 }), (list) => {
      const lines = list.flatMap(({ request, cut, at, by }) => {
        const reply = goodReply(requestBytes(request));
        const wrong = Buffer.from(reply);
        wrong[at] = (wrong[at] ?? 0) ^ by;
        return [line(request, reply.subarray(0, cut % reply.length)), line(request, wrong)];
      });
      const verdicts = answers(lines).map((answer) => answer.split(' ')[1]);
      expect(verdicts).toEqual(list.flatMap(() => ['incomplete', 'refused']));
    }),
    { numRuns: 10 },
  );
});

test('any bytes at all are judged without reading beyond them', () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  const cases = fc.tuple(requests, fc.boolean(), bytes);
  fc.assert(
    fc.property(fc.array(cases, { minLength: 100, maxLength: 100 }), (list) => {
      const lines = list.map(([request, framed, rest]) => {
        const head = goodReply(requestBytes(request)).subarray(0, framed ? 8 : 0);
        return line(request, Buffer.concat([head, rest]));
      });
      expect(answers(lines)).toHaveLength(list.length);
    }),
    { numRuns: 20 },
  );
});

test.each([
  [1, 0],
  [1, 2001],
  [3, 126],
  [6, 2],
  [15, 1969],
  [16, 124],
])('function %d has no request for %d values', (code, quantity) => {
  const request = { transaction: 1, unit: 1, code, address: 0, quantity, data: Buffer.alloc(1) };
  expect(answers([line(request, Buffer.alloc(0))])[0]).toMatch(/^- /);
});

test('a request does not pass the last address', () => {
  const request = { transaction: 1, unit: 1, code: 3, address: 65535, quantity: 2, data: Buffer.alloc(1) };
  expect(answers([line(request, Buffer.alloc(0))])[0]).toMatch(/^- /);
});

test('numbers keep their value in every type and word order', () => {
  const whole = (type: number, min: number, max: number) =>
    fc.tuple(fc.constant(type), fc.boolean(), fc.integer({ min, max }));
  const numbers = fc.oneof(
    whole(1, 0, 65535),
    whole(2, -32768, 32767),
    whole(3, 0, 4294967295),
    whole(4, -2147483648, 2147483647),
    fc.tuple(
      fc.constant(5),
      fc.boolean(),
      fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
    ),
  );
  fc.assert(
    fc.property(fc.array(numbers, { minLength: 100, maxLength: 100 }), (list) => {
      const got = answers(list.map(([type, low, value]) => `v ${type} ${low ? 1 : 0} 1 0 ${value}`));
      list.forEach(([type, low, value], i) => {
        const bytes = Buffer.alloc(type < 3 ? 2 : 4);
        if (type === 1) bytes.writeUInt16BE(value);
        if (type === 2) bytes.writeInt16BE(value);
        if (type === 3) bytes.writeUInt32BE(value);
        if (type === 4) bytes.writeInt32BE(value);
        if (type === 5) bytes.writeFloatBE(value);
        const words = low && type >= 3 ? Buffer.concat([bytes.subarray(2), bytes.subarray(0, 2)]) : bytes;
        const [data, read] = got[i]?.split(' ') ?? [];
        expect({ data, same: Math.fround(Number(read)) === Math.fround(value) }).toEqual({
          data: hex(words),
          same: true,
        });
      });
    }),
    { numRuns: 10 },
  );
});

test.each([
  ['v 1 0 1 0 65536', 'range'],
  ['v 1 0 1 0 -1', 'range'],
  ['v 2 0 0.1 0 3276.8', 'range'],
  ['v 4 0 1 0 2147483648', 'range'],
  ['v 5 0 1 0 3.5e38', 'range'],
  ['v 1 0 1 0 nan', 'range'],
  ['v 5 0 1 0 nan', 'range'],
  ['v 2 0 0.01 0 0.3', '001e 0.29999999999999999'],
  ['v 2 0 0.5 -20 -20.25', 'ffff -20.5'],
])('%s is %s', (input, output) => {
  expect(answers([input])).toEqual([output]);
});
