import { afterAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROTOCOL_VERSION, RunnerFrame } from '../../dist/native/protocol/protocol.js';
import { RunnerConnection } from '../../dist/native/runner/runner-connection.js';
import { SharedPage } from '../../dist/native/protocol/shared-page.js';
import { eventually } from '../fixtures/server.js';

const OPTIONS = { plugin: 'chatty', concurrency: 1, replyBytesMax: 1000 };
const shared = new SharedPage();
const directory = mkdtempSync(join(tmpdir(), 'backworks-flood-'));
afterAll(() => {
  shared.close();
  rmSync(directory, { recursive: true });
});

function frame(type: number, value: number, text: string): Buffer {
  const bytes = Buffer.alloc(16 + text.length);
  bytes.writeUInt32LE(text.length, 0);
  bytes.writeUInt8(type, 8);
  bytes.writeInt32LE(value, 12);
  bytes.write(text, 16);
  return bytes;
}

/** The two ends of a stream socket. */
async function socketPair(): Promise<[Socket, Socket]> {
  const path = join(directory, 'socket');
  const server = createServer();
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const ours = connect(path);
  const theirs = await accepted;
  server.close();
  return [ours, theirs];
}

test('the server reads a limited amount in each turn of the event loop from a runner that sends without end', async () => {
  const FRAMES = 4096;
  const line = frame(RunnerFrame.LOG, 0, 'x'.repeat(1008));
  const [ours, runner] = await socketPair();
  let [heard, heardBefore, mostPerTurn] = [0, 0, 0];
  new RunnerConnection({ calls: ours, answers: ours }, shared, OPTIONS, {
    log: () => (heard += 1),
    metric: () => undefined,
    refused: () => undefined,
    busy: () => undefined,
    idle: () => undefined,
    crashed: () => undefined,
    broken: ({ kind }) => expect(kind).toBe('never broken'),
  });
  const turn = (): void => {
    mostPerTurn = Math.max(mostPerTurn, heard - heardBefore);
    heardBefore = heard;
    if (heard < FRAMES) setImmediate(turn);
  };
  turn();
  runner.write(
    Buffer.concat([frame(RunnerFrame.HELLO, PROTOCOL_VERSION, ''), ...Array<Buffer>(FRAMES).fill(line)]),
  );
  await eventually(() => heard === FRAMES, 'the arrival of all frames');
  // A frame has 1 KiB and a read takes 64 frames. A second read may be under way when the first is processed.
  expect(mostPerTurn * line.length).toBeLessThanOrEqual(130 * 1024);
  ours.destroy();
  runner.destroy();
});
