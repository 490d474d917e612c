import { afterAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { FrameWriter } from '../../../dist/native/protocol/frames.js';
import { PROTOCOL_VERSION, RunnerFrame } from '../../../dist/native/protocol/protocol.js';
import { RunnerConnection } from '../../../dist/native/runner/runner-connection.js';
import { SharedPage } from '../../../dist/native/protocol/shared-page.js';

const shared = new SharedPage();
afterAll(() => shared.close());

const OPTIONS = { plugin: 'fuzzed', concurrency: 1, replyBytesMax: 1000 };

/** A connection to a runner that sends these chunks. */
function receive(chunks: readonly Uint8Array[]): { logged: string[]; broken: string[] } {
  const socket = new PassThrough() as unknown as Socket;
  const logged: string[] = [];
  const broken: string[] = [];
  new RunnerConnection({ calls: socket, answers: socket }, shared, OPTIONS, {
    log: (_level, text) => logged.push(text),
    metric: (name) => logged.push(name),
    refused: ({ function: name }) => logged.push(name),
    busy: () => undefined,
    idle: () => undefined,
    crashed: () => logged.push('crashed'),
    broken: ({ kind }) => broken.push(kind),
  });
  for (const chunk of chunks) socket.emit('data', Buffer.from(chunk));
  return { logged, broken };
}

function frames(...types: readonly [number, string][]): Buffer {
  const writer = new FrameWriter();
  for (const [type, text] of types) {
    writer.add(type, 0, 0, type === RunnerFrame.HELLO ? PROTOCOL_VERSION : 0, text === '' ? [] : [text]);
  }
  return Buffer.concat(writer.take());
}

const hello = frames([RunnerFrame.HELLO, '']);
const log = frames([RunnerFrame.LOG, 'text']);
/** Bytes that are not a frame: 255 is not a frame type. */
const nonsense = fc
  .uint8Array({ minLength: 16, maxLength: 40 })
  .map((bytes) => Uint8Array.from(bytes, (byte, index) => (index === 8 ? 255 : byte)));

test('the first malformed frame breaks the connection, and nothing after it is read', () => {
  fc.assert(
    fc.property(nonsense, fc.array(fc.oneof(fc.constant(log), nonsense)), (bad, more) => {
      expect(receive([hello, log, bad, ...more])).toEqual({ logged: ['text\0'], broken: ['protocol'] });
    }),
  );
});

test('any bytes are read without throwing and break the connection at most once', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constant(log), fc.uint8Array({ maxLength: 50 }))), (chunks) => {
      expect(receive([hello, ...chunks]).broken.length).toBeLessThanOrEqual(1);
      expect(receive(chunks).broken.length).toBeLessThanOrEqual(1);
    }),
  );
});

test('an answer without a request breaks the connection, whatever its type', () => {
  const types = [
    RunnerFrame.HELLO,
    RunnerFrame.LOADED,
    RunnerFrame.STATUS,
    RunnerFrame.REPLY,
    RunnerFrame.EMPTY,
    RunnerFrame.FAILED,
    RunnerFrame.READY,
  ];
  for (const type of types)
    expect(receive([hello, frames([type, 'x']), log])).toEqual({ logged: [], broken: ['protocol'] });
});
