import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FrameError, FrameParser, FrameWriter } from '../../../dist/native/protocol/frames.js';
import { runnerPayloads } from '../../../dist/native/protocol/frame-budgets.js';
import { FRAME_HEADER_SIZE, RunnerFrame } from '../../../dist/native/protocol/protocol.js';

const PAYLOAD_MAX = 1000;

/** The frames a parser delivers from a stream that is cut at these places, and the error that ends it. */
function parse(bytes: Buffer, cuts: readonly number[]): { frames: string[]; error: string | null } {
  const frames: string[] = [];
  const parser = new FrameParser(runnerPayloads(PAYLOAD_MAX), (type, id, detail, value, payload) =>
    frames.push([type, id, detail, value, payload.toString('hex')].join()),
  );
  let error: string | null = null;
  const at = [0, ...cuts, bytes.length];
  for (let index = 1; index < at.length && error === null; index += 1) {
    try {
      parser.push(bytes.subarray(at[index - 1], at[index]));
    } catch (thrown) {
      if (!(thrown instanceof FrameError)) throw thrown;
      error = thrown.message;
    }
  }
  return { frames, error };
}

const wellFormed = fc
  .array(
    fc.record({
      // Frames whose payload may have any of these lengths.
      type: fc.constantFrom(RunnerFrame.LOADED, RunnerFrame.STATUS, RunnerFrame.REPLY, RunnerFrame.LOG),
      id: fc.nat(0xffff_ffff),
      text: fc.string({ maxLength: 40 }),
    }),
    { maxLength: 6 },
  )
  .map((frames) => {
    const writer = new FrameWriter();
    for (const { type, id, text } of frames) writer.add(type, id, 0, 0, [text]);
    return Buffer.concat(writer.take());
  });

/** Frames, followed by arbitrary bytes. */
const stream = fc
  .tuple(wellFormed, fc.uint8Array({ maxLength: 60 }))
  .map(([frames, rest]) => Buffer.concat([frames, rest]));

test('the places at which a stream is cut change neither its frames nor its end', () => {
  fc.assert(
    fc.property(stream, (bytes) => {
      const whole = parse(bytes, []);
      for (let cut = 0; cut <= bytes.length; cut += 1) expect(parse(bytes, [cut])).toEqual(whole);
    }),
  );
});

test('a stream that arrives byte by byte gives the same frames', () => {
  fc.assert(
    fc.property(stream, (bytes) => {
      const every = Array.from({ length: bytes.length }, (_, index) => index);
      expect(parse(bytes, every)).toEqual(parse(bytes, []));
    }),
  );
});

test('frames before a malformed frame are delivered, and its header already ends the stream', () => {
  fc.assert(
    fc.property(wellFormed, fc.integer({ min: PAYLOAD_MAX + 1, max: 0xffff_ffff }), (frames, length) => {
      const header = Buffer.alloc(FRAME_HEADER_SIZE);
      header.writeUInt32LE(length);
      header[8] = RunnerFrame.REPLY;
      expect(parse(Buffer.concat([frames, header]), [])).toEqual({
        frames: parse(frames, []).frames,
        error: `frame of ${length} bytes, at most ${PAYLOAD_MAX} allowed`,
      });
    }),
  );
});
