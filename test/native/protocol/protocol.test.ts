import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FrameError, FrameParser, FrameWriter, payloadSize } from '../../../dist/native/protocol/frames.js';
import { runnerPayloads } from '../../../dist/native/protocol/frame-budgets.js';
import { LongText } from '../../../dist/long-text.js';
import { FRAME_HEADER_SIZE, RunnerFrame } from '../../../dist/native/protocol/protocol.js';

interface Frame {
  type: number;
  id: number;
  detail: number;
  value: number;
  payload: string;
}

/** Feeds chunks to the parser and collects the frames. */
function parse(chunks: readonly Buffer[], payloadMax = 1 << 20): Frame[] {
  const frames: Frame[] = [];
  const parser = new FrameParser(runnerPayloads(payloadMax), (type, id, detail, value, payload) =>
    frames.push({ type, id, detail, value, payload: payload.toString('latin1') }),
  );
  for (const chunk of chunks) parser.push(chunk);
  return frames;
}

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...new Set(cuts.map((n) => n % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, index) => bytes.subarray(start, at[index] ?? bytes.length));
}

/** Frames whose payload may have any of the lengths below. */
const runnerType = fc.constantFrom(RunnerFrame.LOADED, RunnerFrame.REPLY);
const string = fc.string({ unit: 'binary', maxLength: 300 });
/** Payloads that are copied, and payloads that are not. */
const bytes = fc.oneof(
  string.map((text) => Buffer.from(text)),
  fc.constantFrom(0, 16 * 1024 - 1, 16 * 1024, 20_000).map((length) => Buffer.alloc(length, 'long ')),
);
const text = fc.oneof(
  string,
  fc.tuple(string, bytes, string).map((parts) => new LongText(...parts)),
);
const frame = fc.record({
  type: runnerType,
  id: fc.integer({ min: 0, max: 0xffff_ffff }),
  detail: fc.integer({ min: 0, max: 255 }),
  value: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
  texts: fc.array(text, { maxLength: 3 }),
});

describe('frames', () => {
  test('a frame that was written is read back, however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 20 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        (frames, cuts) => {
          const writer = new FrameWriter();
          for (const { type, id, detail, value, texts } of frames) {
            const before = writer.size;
            writer.add(type, id, detail, value, texts);
            expect(writer.size - before).toBe(FRAME_HEADER_SIZE + payloadSize(texts));
          }
          const expected = frames.map(({ texts, ...header }) => ({
            ...header,
            payload: Buffer.concat(texts.map((item) => Buffer.from(`${item.toString()}\0`))).toString(
              'latin1',
            ),
          }));
          expect(parse(cut(Buffer.concat(writer.take()), cuts))).toEqual(expected);
        },
      ),
    );
  });

  test('arbitrary bytes give frames or a FrameError, and an announced length allocates no memory', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }), (chunks) => {
        try {
          parse(chunks.map((chunk) => Buffer.from(chunk)));
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
        }
      }),
    );
  });

  test('a header with a length above the limit is refused before its payload arrives', () => {
    const header = Buffer.alloc(FRAME_HEADER_SIZE);
    header.writeUInt32LE(0xffff_fff0, 0);
    header[8] = RunnerFrame.REPLY;
    expect(() => parse([header])).toThrow('frame of 4294967280 bytes, at most 1048576 allowed');
  });

  test.each([
    [RunnerFrame.HELLO, 0],
    [RunnerFrame.EMPTY, 0],
    [RunnerFrame.LOG, 8192],
    [RunnerFrame.FAILED, 8192],
    [RunnerFrame.METRIC, 72],
    [RunnerFrame.CRASHED, 4096],
    [RunnerFrame.READY, 65_536],
    [RunnerFrame.REFUSED, 512],
  ])('a frame of type %i carries at most %i bytes', (type, max) => {
    const header = Buffer.alloc(FRAME_HEADER_SIZE);
    header.writeUInt32LE(max + 1, 0);
    header[8] = type;
    expect(() => parse([header])).toThrow(`frame of ${max + 1} bytes, at most ${max} allowed`);
  });

  test('unknown types and non-zero reserved bytes are refused', () => {
    const header = Buffer.alloc(FRAME_HEADER_SIZE);
    header[8] = 4;
    expect(() => parse([header])).toThrow('unknown frame type 4');
    header[8] = RunnerFrame.REPLY;
    header[11] = 1;
    expect(() => parse([header])).toThrow('reserved header bytes are not 0');
  });

  test('a batch is unchanged by later writes', () => {
    const writer = new FrameWriter();
    writer.add(RunnerFrame.REPLY, 1, 0, 0, ['first']);
    const first = writer.take();
    for (let i = 0; i < 5000; i += 1) writer.add(RunnerFrame.REPLY, i, 0, 0, ['x'.repeat(100)]);
    expect(parse(writer.take())).toHaveLength(5000);
    expect(parse(first)).toEqual([
      { type: RunnerFrame.REPLY, id: 1, detail: 0, value: 0, payload: 'first\0' },
    ]);
  });

  test('payloadSize is exact for any text', () => {
    fc.assert(
      fc.property(fc.array(text), (texts) => {
        const writer = new FrameWriter();
        writer.add(RunnerFrame.REPLY, 0, 0, 0, texts);
        expect(Buffer.concat(writer.take()).length - FRAME_HEADER_SIZE).toBe(payloadSize(texts));
      }),
    );
  });
});

test('protocol.ts and protocol.h name the same numbers', () => {
  const read = (name: string): string =>
    readFileSync(fileURLToPath(new URL(`../../../src/${name}`, import.meta.url)), 'utf8');
  const header = read('runner/protocol.h');
  const source = read('native/protocol/protocol.ts');
  const constants = [...header.matchAll(/^ {4}([A-Z_]+) = ([^,/]+?),? *(?:\/\*.*)?$/gm)].map(
    ([, name = '', value = '']) => [name, value.trim()] as const,
  );
  expect(constants.length).toBeGreaterThan(40);
  for (const [name, value] of constants) {
    const short = name
      .replace(
        /^FRAME_(?:RUNNER_)?(?!HEADER|PAYLOAD)|^FAILURE_|^SHARED_|^PERMISSION_|^BATCH_|^LOAD_(?=PATH|DESC|SAME)|^ANSWER_(?!RING)/,
        '',
      )
      .replace(/^(?:HOOK|FUNCTION)_(.*)$/, (_, rest: string) => rest.toLowerCase());
    if (name === 'HOOK_COUNT' || name.endsWith('_DESCRIPTOR')) continue;
    const label = name === 'HOOK_OPERATION' ? 'call' : short;
    const forms = name.startsWith('FUNCTION_')
      ? [`[${value}, '${label}']`]
      : name.startsWith('RUNNER_EXIT_')
        ? value === '0'
          ? ['RUNNER_EXIT']
          : [`  ${value}: '`]
        : [`${label}: ${value}`, `${label} = ${value}`];
    expect({ name, found: forms.some((form) => source.includes(form)) }).toEqual({ name, found: true });
  }
});
