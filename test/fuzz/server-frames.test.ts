import { PassThrough } from 'node:stream';
import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { DeadlineTimer } from '../../dist/execution/deadline.js';
import { PluginExecutor } from '../../dist/execution/executor.js';
import { BackworksError, parseConfig } from '../../dist/index.js';
import { PluginMetrics } from '../../dist/metrics/plugin-metrics.js';
import type { NativePluginOptions, NativeReply } from '../../dist/native/plugin.js';
import { type Dispatcher, HookCall } from '../../dist/native/pool/hook-call.js';
import type { GroupedProcess, ProcessEnd } from '../../dist/native/process/child-process.js';
import {
  LoadFrom,
  PROTOCOL_VERSION,
  RunnerFrame,
  ServiceFrame,
  Shared,
} from '../../dist/native/protocol/protocol.js';
import { KeyValueSpace } from '../../dist/services/key-value-space.js';
import { SharedPage } from '../../dist/native/protocol/shared-page.js';
import { RunnerProcess } from '../../dist/native/runner/runner-process.js';
import { writeSync } from 'node:fs';
import { Random, seeds } from './seeds.js';

/**
 * The server's end of the runner protocol against streams of frames that are right, changed or random: the decoder,
 * the handlers behind it, and the calls that wait for answers. The process is an object of this test, so that every
 * byte is chosen here.
 */
const SEEDS = 60;
const CALL_MS = 25;
/** The longest timer that a process of these settings may start: initializeTimeoutMs. */
const TIMER_MAX_MS = 5000;

const timers: number[] = [];
const escaped: unknown[] = [];
const note = (error: unknown): void => void escaped.push(error);
process.on('unhandledRejection', note);
process.on('uncaughtException', note);
afterAll(() => {
  process.off('unhandledRejection', note);
  process.off('uncaughtException', note);
});
beforeEach(() => {
  for (const name of ['setTimeout', 'setInterval'] as const) {
    const original = globalThis[name];
    jest.spyOn(globalThis, name).mockImplementation(((work: () => void, ms: number, ...rest: []) => {
      timers.push(ms);
      return original(work, ms, ...rest);
    }) as never);
  }
});
afterEach(() => void jest.restoreAllMocks());

const EXTREMES = [0, 1, -1, 2, 7, 255, 65_535, 0x7fff_ffff, -0x8000_0000, 3_000_000_000 | 0];
const DOUBLES = [0, 1, -1, NaN, Infinity, -Infinity, 1e308, -1e308, 5e-324, Number.MAX_SAFE_INTEGER];
const TYPES = [...Object.values(RunnerFrame), ...Object.values(ServiceFrame), 0, 1, 255];
const TEXTS = [
  '',
  'null',
  '{"status":200,"body":1}',
  '{"status":1e999}',
  'a\0b\0c\0',
  '\0\0\0',
  '__proto__\0x\0',
];

function frame(type: number, id: number, detail: number, value: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(payload.length);
  header.writeUInt32LE(id >>> 0, 4);
  header[8] = type;
  header[9] = detail;
  header.writeInt32LE(value, 12);
  return Buffer.concat([header, payload]);
}

function payloadOf(random: Random, type: number): Buffer {
  if (type === RunnerFrame.REFUSED && random.chance(70)) return Buffer.from('open\0/etc/passwd\0');
  if (type === RunnerFrame.METRIC && random.chance(90)) {
    const delta = Buffer.alloc(8);
    delta.writeDoubleLE(random.one(DOUBLES));
    return Buffer.concat([
      delta,
      Buffer.from(random.one(['ok_total', 'x'.repeat(70), 'A', `m${random.below(500)}`, ''])),
    ]);
  }
  if (random.chance(70)) return Buffer.from(random.one(TEXTS));
  return random.bytes(random.below(200));
}

/** Frames of a runner: right ones, in order, and some that are not. */
class Frames {
  private nextId = 1;

  constructor(private readonly random: Random) {}

  next(): Buffer {
    const { random } = this;
    const bytes = random.chance(60) ? this.right() : this.odd();
    if (random.chance(3)) bytes[random.below(bytes.length)] = random.below(256);
    return random.chance(98) ? bytes : bytes.subarray(0, random.below(bytes.length));
  }

  private right(): Buffer {
    const { random } = this;
    const type = random.one([
      RunnerFrame.REPLY,
      RunnerFrame.EMPTY,
      RunnerFrame.LOG,
      RunnerFrame.METRIC,
      RunnerFrame.METRIC,
    ]);
    if (type === RunnerFrame.LOG) return frame(type, 0, random.below(4), 0, Buffer.from('a line'));
    if (type === RunnerFrame.METRIC) {
      const delta = Buffer.alloc(8);
      delta.writeDoubleLE(random.one(DOUBLES.filter((value) => value >= 0 && value < Infinity)));
      return frame(type, 0, 0, 0, Buffer.concat([delta, Buffer.from(`m${random.below(200)}`)]));
    }
    return frame(
      type,
      this.nextId++,
      0,
      random.one(EXTREMES),
      Buffer.from(type === RunnerFrame.REPLY ? '{}' : ''),
    );
  }

  /** A frame with some wrong fields. */
  private odd(): Buffer {
    const { random } = this;
    const answers = [RunnerFrame.REPLY, RunnerFrame.FAILED, RunnerFrame.STATUS];
    const others = [RunnerFrame.REFUSED, RunnerFrame.METRIC, RunnerFrame.LOG, RunnerFrame.CRASHED];
    const type = random.chance(40) ? random.one(others) : random.one(random.chance(70) ? answers : TYPES);
    const id = random.chance(70) ? this.nextId++ : random.one(EXTREMES);
    const detail = random.chance(70) ? random.below(4) : random.below(256);
    const value = random.chance(40) ? random.below(1_000_000) : random.one(EXTREMES);
    return frame(type, id, detail, value, payloadOf(random, type));
  }
}

const REQUESTS = [
  [ServiceFrame.OPERATION, 'other\0operation\0null\0'],
  [ServiceFrame.KV_GET, 'key\0'],
  [ServiceFrame.HTTP_FETCH, '{"url":"http://127.0.0.1"}\0'],
  [ServiceFrame.KV_SET, '\x09\0\0\0key\0value\0'],
  [ServiceFrame.KV_SET, '\0\0\0\0key\0'],
] as const;

/** A request to the server, on the second socket. */
function request(random: Random): Buffer {
  const [wanted, payload] = random.one(REQUESTS);
  const text = random.chance(70) ? payload : random.one(TEXTS);
  const type = random.chance(80) ? wanted : random.one(TYPES);
  return frame(type, random.one(EXTREMES), random.below(3), random.one(EXTREMES), Buffer.from(text));
}

/** A process whose pipes this test fills. */
class FakeProcess implements GroupedProcess {
  readonly pid = process.pid;
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly calls = new PassThrough() as unknown as Socket;
  readonly answers = new PassThrough() as unknown as Socket;
  readonly services = new PassThrough() as unknown as Socket;
  readonly memoryCgroup = { missing: 'this is no process' };
  end: (end: ProcessEnd) => void = () => undefined;
  readonly ended = new Promise<ProcessEnd>((resolve) => (this.end = resolve));

  constructor() {
    this.calls.resume();
  }

  kill(): void {
    (this.answers as unknown as PassThrough).end();
    this.end({ code: null, signal: 'SIGKILL' });
  }
}

/** Whether a value holds only numbers that a status or a report may hold. */
function oddNumbers(value: unknown, path = '', seen = new Set<unknown>()): string[] {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? [] : [`${path} is ${value}`];
  if (typeof value !== 'object' || value === null || seen.has(value)) return [];
  seen.add(value);
  return Object.entries(value).flatMap(([key, member]) => oddNumbers(member, `${path}.${key}`, seen));
}

const policy = parseConfig('plugins: { fuzzed: { path: /x } }', { directory: '/' }).config.plugins[0]!;
const metrics = new PluginMetrics();
const timer = new DeadlineTimer();
const keyValues = new KeyValueSpace(
  () => 1000,
  () => undefined,
);

function optionsOf(random: Random, reports: object[]): NativePluginOptions {
  return {
    name: 'fuzzed',
    libraryPath: '/x',
    configJson: '{}',
    sandbox: {
      mode: 'off',
      permissions: policy.permissions,
      memoryBytes: 0,
      openFiles: 0,
      fileSizeBytes: 0,
      threads: 0,
      user: null,
    },
    environment: {},
    instances: 1,
    concurrency: random.one([1, 1, 4]),
    initializeTimeoutMs: TIMER_MAX_MS,
    shutdownTimeoutMs: 50,
    replyBytesMax: 1000,
    logBytesPerSecond: 64 * 1024,
    recycleCalls: 0,
    recycleMemoryBytes: 0,
    idleCpuPercent: 0,
    callCpuMs: 0,
    restart: { delayMs: 1, maxDelayMs: 1 },
    operate: async () => random.one([null, 'null']),
    keyValues,
    events: {
      log: (line) => void reports.push(line),
      metric: (name, delta) => metrics.customCounter('fuzzed', name, delta),
      refused: (refusal) => {
        metrics.refused('fuzzed', refusal.permission, refusal.times);
        reports.push(refusal);
      },
      failed: (failure) => void reports.push(failure),
      recovered: () => undefined,
    },
  };
}

/** Random bytes in the memory that the plugin shares with the server. */
function scribble(random: Random, shared: SharedPage): void {
  if (random.chance(50)) return;
  const at = random.one([0, Shared.PRODUCED, Shared.RUNNING, Shared.RING, Shared.ENDED_BY]);
  const bytes = random.chance(50) ? Buffer.alloc(16, 0xff) : random.bytes(16);
  if (random.chance(30)) bytes.writeUInt32LE(random.below(12));
  writeSync(shared.descriptor, bytes, 0, bytes.length, at);
}

async function converse(seed: number): Promise<void> {
  const random = new Random(seed);
  const reports: object[] = [];
  const child = new FakeProcess();
  const shared = new SharedPage();
  const runner = new RunnerProcess(child, shared, optionsOf(random, reports), LoadFrom.PATH, (failure) => {
    if (failure !== null) reports.push(failure);
  });
  const executor = new PluginExecutor({
    plugin: 'fuzzed',
    settings: {
      ...policy,
      timeouts: { callMs: CALL_MS },
      circuitBreaker: { failures: 1e6, windowMs: 1, resetAfterMs: 1 },
    },
    timer,
    metrics,
    onCircuitChange: () => undefined,
  });
  const gone = (): BackworksError => new BackworksError('BW_INTERNAL', 'no other process');
  const dispatcher: Dispatcher = {
    dispatch: (call) => call.failed(gone()),
    unavailable: gone,
    cancelled: gone,
  };
  let settled = 0;
  const calls = Array.from({ length: 1 + random.below(6) }, async (_, index) => {
    const hook = random.one(['before_request', 'process_endpoint', 'after_response'] as const);
    const count = hook === 'process_endpoint' ? 3 : 1;
    const answer = executor.run(hook, {
      requestId: `r${index}`,
      callers: [],
      trace: null,
      begin(ticket) {
        const call = new HookCall(hook, Array<string>(count).fill('{}'), ticket, dispatcher);
        call.sendTo(runner);
        return call;
      },
      read: (reply: NativeReply) => reply,
    });
    await Promise.resolve(answer).catch((error: unknown) => void reports.push(error as object));
    settled += 1;
  });
  if (random.chance(50))
    void runner
      .healthCheck({
        requestId: null,
        callers: [],
        trace: null,
        deadlineAtMs: performance.now() + CALL_MS,
        onStop: () => undefined,
      })
      .then(
        // The status is the plugin's own number, which may be negative.
        ({ status }) => expect(status).toBe(status | 0),
        () => undefined,
      );

  const frames = new Frames(random);
  const answers = child.answers as unknown as PassThrough;
  const services = child.services as unknown as PassThrough;
  if (random.chance(95)) answers.write(frame(RunnerFrame.HELLO, 0, 0, PROTOCOL_VERSION, Buffer.alloc(0)));
  for (let count = random.below(30); count > 0 && answers.writable; count -= 1) {
    if (random.chance(80)) answers.write(random.chance(98) ? frames.next() : random.bytes(random.below(60)));
    else if (services.writable) services.write(request(random));
    scribble(random, shared);
    if (random.chance(40)) await new Promise(setImmediate);
  }
  child.stdout.write(random.bytes(random.below(300)));
  child.stderr.write(random.bytes(random.below(300)));
  if (random.chance(70)) await new Promise((resolve) => setTimeout(resolve, random.below(2 * CALL_MS)));
  child.kill();
  await Promise.all(calls);
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(settled).toBe(calls.length);
  expect(runner.load).toBe(0);
  expect(reports.flatMap((report) => oddNumbers(report))).toEqual([]);
}

test('whatever a process sends: every call ends, every timer is bounded, every number can be reported', async () => {
  let started = 0;
  for (const seed of seeds(SEEDS)) {
    timers.length = 0;
    try {
      await converse(seed);
      expect(timers.filter((ms) => !(ms >= 0 && ms <= TIMER_MAX_MS))).toEqual([]);
      expect(escaped).toEqual([]);
      started += timers.length;
    } catch (cause) {
      throw new Error(`BACKWORKS_FUZZ_SEED=${seed}: ${String(cause)}`, { cause });
    }
  }
  // Otherwise this test would see no timer of the server.
  expect(started).toBeGreaterThan(SEEDS);
  const samples = (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const odd = samples.filter((line) => !/ \d+(\.\d+)?(e[-+]?\d+)?$/.test(line));
  expect(odd).toEqual([]);
  expect(samples.join('\n')).toContain('backworks_plugin_custom_total{plugin="fuzzed"');
}, 3_600_000);
