import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

/** The program under test. The variable lets the same tests run on a build with sanitizers. */
export const RUNNER =
  process.env['BACKWORKS_RUNNER'] ??
  fileURLToPath(new URL('../../build/Release/backworks-runner', import.meta.url));

/* The numbers of protocol.h, repeated here because these tests take the server's view. */
export const VERSION = 4;
export const SERVER = {
  HELLO: 1,
  LOAD: 2,
  INITIALIZE: 3,
  CALL: 4,
  HEALTH_CHECK: 5,
  RECONFIGURE: 6,
  SHUTDOWN: 7,
  SANDBOX: 8,
  BATCH: 9,
} as const;
export const ANSWER = {
  HELLO: 65,
  LOADED: 66,
  STATUS: 67,
  REPLY: 68,
  EMPTY: 69,
  FAILED: 70,
  LOG: 71,
  METRIC: 72,
  CRASHED: 73,
  READY: 74,
  REFUSED: 75,
} as const;
export const HOOK = { before_request: 0, after_response: 1, process_endpoint: 2, call: 3 } as const;
export const FAILURE = { LOAD: 1, NOT_IMPLEMENTED: 2, REPLY_TOO_LARGE: 3, ABI: 4, SANDBOX: 6 } as const;

export interface Frame {
  readonly type: number;
  readonly id: number;
  readonly detail: number;
  readonly value: number;
  readonly payload: Buffer;
}

export interface End {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A frame whose payload is the given strings, each with its NUL, or the given bytes. */
export function frame(
  type: number,
  id: number,
  detail: number,
  value: number,
  payload: readonly string[] | Buffer = [],
): Buffer {
  const body = Buffer.isBuffer(payload) ? payload : Buffer.from(payload.map((text) => `${text}\0`).join(''));
  const header = Buffer.alloc(16);
  header.writeUInt32LE(body.length, 0);
  header.writeUInt32LE(id, 4);
  header[8] = type;
  header[9] = detail;
  header.writeInt32LE(value, 12);
  return Buffer.concat([header, body]);
}

export const hello = (version: number = VERSION): Buffer => frame(SERVER.HELLO, 0, 0, version);
/** @param from 0: the path; 1: descriptor 7; 2: the path, which must be the file of descriptor 7 */
export const load = (path: string, replyMax = 8 << 20, from = 0): Buffer =>
  frame(SERVER.LOAD, 1, from, replyMax, [path]);
export const sandbox = (settings: readonly string[]): Buffer => frame(SERVER.SANDBOX, 5, 0, 0, settings);
export const initialize = (config = '{}'): Buffer => frame(SERVER.INITIALIZE, 2, 0, 0, [config]);
export const call = (id: number, hook: keyof typeof HOOK, args: readonly string[], leftMs = -1): Buffer =>
  frame(SERVER.CALL, id, HOOK[hook], leftMs, args);
export const shutdown = (id = 99): Buffer => frame(SERVER.SHUTDOWN, id, 0, 0);

/** What is started instead of the runner, and its user and group. */
export interface Start {
  readonly program?: string;
  readonly user?: number | undefined;
  /** An open file that becomes descriptor 7. */
  readonly library?: number;
}

const started = new Set<ChildProcess>();

/** Ends the processes a test left running; for afterEach(). */
export function endConversations(): void {
  for (const child of started) child.kill('SIGKILL');
  started.clear();
}

/** One runner process, controlled frame by frame. */
export class Conversation {
  stdout = '';
  stderr = '';
  /** Bytes from the runner that are not a whole frame yet. */
  rest: Buffer = Buffer.alloc(0);
  readonly pid: number;
  readonly socket: Socket;
  readonly ended: Promise<End>;
  private readonly frames: Frame[] = [];
  private wake: () => void = () => undefined;
  private over = false;

  constructor(
    args: readonly string[] = ['--parent', String(process.pid)],
    { program = RUNNER, user, library }: Start = {},
  ) {
    const identity = user === undefined ? {} : { uid: user, gid: user };
    const more = library === undefined ? [] : (['ignore', 'ignore', 'ignore', library] as const);
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', 'pipe', ...more];
    const child = spawn(program, args, { env: {}, stdio, ...identity });
    started.add(child);
    this.pid = child.pid as number;
    this.socket = child.stdio[3] as Socket;
    this.socket.on('data', (chunk: Buffer) => this.read(chunk));
    this.socket.on('error', () => undefined);
    child.stdout?.on('data', (chunk: Buffer) => ((this.stdout += chunk.toString()), this.wake()));
    child.stderr?.on('data', (chunk: Buffer) => ((this.stderr += chunk.toString()), this.wake()));
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        started.delete(child);
        this.over = true;
        this.wake();
        resolve({ code, signal });
      });
    });
  }

  /** Starts a runner and initializes its plugin, so that calls may be sent. */
  static async ready(path: string, replyMax?: number): Promise<Conversation> {
    const conversation = new Conversation();
    conversation.send(hello(), load(path, replyMax), initialize());
    for (const type of [ANSWER.HELLO, ANSWER.LOADED, ANSWER.STATUS]) await conversation.expect(type);
    return conversation;
  }

  send(...frames: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** The next frame. @throws Error when the runner ends instead. */
  async next(): Promise<Frame> {
    await this.until(() => this.frames.length > 0);
    return this.frames.shift() as Frame;
  }

  /** The next frame, which must be of that type. */
  async expect(type: number): Promise<Frame> {
    const received = await this.next();
    if (received.type !== type) {
      throw new Error(`expected frame ${type}, got ${received.type}: ${received.payload.toString()}`);
    }
    return received;
  }

  /** Waits until the condition holds. It is checked whenever a frame arrives. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.over) throw new Error(`the runner ended; stderr: ${this.stderr}`);
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  /** Frames that arrived and were not read. */
  remaining(): readonly Frame[] {
    return this.frames;
  }

  private read(chunk: Buffer): void {
    this.rest = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : chunk;
    for (;;) {
      if (this.rest.length < 16) break;
      const size = 16 + this.rest.readUInt32LE(0);
      if (this.rest.length < size) break;
      this.frames.push({
        id: this.rest.readUInt32LE(4),
        type: this.rest[8] as number,
        detail: this.rest[9] as number,
        value: this.rest.readInt32LE(12),
        payload: Buffer.from(this.rest.subarray(16, size)),
      });
      this.rest = this.rest.subarray(size);
    }
    this.wake();
  }
}
