import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll } from '@jest/globals';

/** Fields in their order: tag and value. */
export type Fields = readonly (readonly [tag: number, value: string])[];

/** Value of each tag; of the first field, when there are several. */
export type Message = ReadonlyMap<number, string>;

const SOH = '\x01';
const TRAILER = new RegExp(`${SOH}10=\\d{3}${SOH}`);
const LIMIT_MS = 60_000;

function checksum(text: string): string {
  let total = 0;
  for (const byte of Buffer.from(text, 'latin1')) total += byte;
  return String(total % 256).padStart(3, '0');
}

/** The bytes of a message whose fields begin with MsgType. */
export function encode(fields: Fields): string {
  const body = fields.map(([tag, value]) => `${tag}=${value}${SOH}`).join('');
  const text = `8=FIX.4.4${SOH}9=${body.length}${SOH}${body}`;
  return `${text}10=${checksum(text)}${SOH}`;
}

/** The UTCTimestamp of now and so many seconds. */
export const timestamp = (seconds = 0): string =>
  new Date(Date.now() + seconds * 1000).toISOString().replaceAll('-', '').replace('T', '-').slice(0, -1);

/** Cuts a text into messages, by their trailers. What follows the last trailer is the rest. */
export function cut(text: string): { messages: string[]; rest: string } {
  const messages: string[] = [];
  let rest = text;
  for (let end = TRAILER.exec(rest); end !== null; end = TRAILER.exec(rest)) {
    const size = end.index + end[0].length;
    messages.push(rest.slice(0, size));
    rest = rest.slice(size);
  }
  return { messages, rest };
}

/** The fields of a message from MsgType on. @throws Error when its lengths or its checksum are wrong */
export function decode(text: string): Fields {
  const fields = text
    .split(SOH)
    .slice(2, -2)
    .map((field): [number, string] => [Number.parseInt(field), field.slice(field.indexOf('=') + 1)]);
  if (encode(fields) !== text)
    throw new Error(`the plugin sent a malformed message: ${JSON.stringify(text)}`);
  return fields;
}

/** How a message differs from a right one. */
export interface Wish {
  /** MsgSeqNum; default: the next. */
  readonly number?: number;
  readonly sender?: string;
  readonly possDup?: boolean;
  /** SendingTime; null for none. */
  readonly time?: string | null;
  /** OrigSendingTime; default with possDup: SendingTime. null for none. */
  readonly original?: string | null;
  /** Changes the bytes, such as their checksum. */
  readonly change?: (bytes: string) => string;
}

/** One connection of the plugin. Its tests break any rule they want. */
export class Peer {
  next = 1;
  /** Resolves when the plugin has closed the connection. */
  readonly closed: Promise<unknown>;
  private readonly messages: Message[] = [];
  private buffer = '';
  private failure: Error | null = null;
  private arrived = (): void => undefined;

  constructor(private readonly socket: Socket) {
    this.closed = within(
      new Promise((resolve) => socket.once('close', resolve)),
      'the plugin did not close the connection',
    );
    this.closed.catch(() => undefined);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      this.buffer += bytes.toString('latin1');
      try {
        this.takeMessages();
      } catch (error) {
        this.failure = error as Error;
      }
      this.arrived();
    });
  }

  private takeMessages(): void {
    const { messages, rest } = cut(this.buffer);
    this.buffer = rest;
    for (const text of messages) this.messages.push(new Map([...decode(text)].reverse()));
  }

  /** The next message of this type, or of any; earlier ones of other types are dropped. */
  async read(type?: string): Promise<Message> {
    const until = Date.now() + LIMIT_MS;
    for (;;) {
      if (this.failure !== null) throw this.failure;
      const message = this.messages.shift();
      if (message !== undefined) {
        if (type === undefined || message.get(35) === type) return message;
        continue;
      }
      if (Date.now() > until)
        throw new Error(`no message of type ${type ?? 'any'} came within ${LIMIT_MS} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        this.arrived = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Sends what `send` sends as one piece. */
  together(send: () => void): void {
    this.socket.cork();
    send();
    this.socket.uncork();
  }

  raw(bytes: string): void {
    this.socket.write(Buffer.from(bytes, 'latin1'));
  }

  send(type: string, body: Fields = [], wish: Wish = {}): void {
    const number = wish.number ?? this.next;
    if (wish.number === undefined) this.next += 1;
    const { possDup = false, time = timestamp(), original = possDup ? time : null } = wish;
    const bytes = encode([
      [35, type],
      [49, wish.sender ?? 'ACCEPTOR'],
      [56, 'BACKWORKS'],
      [34, String(number)],
      ...(possDup ? ([[43, 'Y']] as const) : []),
      ...(time === null ? [] : ([[52, time]] as const)),
      ...(original === null ? [] : ([[122, original]] as const)),
      ...body,
    ]);
    this.raw((wish.change ?? ((same) => same))(bytes));
  }

  /** Answers Logon. @returns the Logon of the plugin */
  async logOn(next = 1, wish: Wish = {}): Promise<Message> {
    const logon = await this.read('A');
    this.next = next;
    const reset: Fields = logon.has(141) ? [[141, 'Y']] : [];
    this.send('A', [[98, '0'], [108, logon.get(108) ?? ''], ...reset], wish);
    return logon;
  }

  /** Reports an order as new. `other` replaces values of the report; null leaves a field out. */
  report(order: Message, wish: Wish = {}, other: Readonly<Record<number, string | null>> = {}): void {
    const id = order.get(11) ?? '';
    const values: Record<number, string | null> = {
      ...{ 11: id, 37: `O-${id}`, 17: `E-${id}`, 150: '0', 39: '0', 55: 'BWX', 54: '1' },
      ...{ 151: '5', 14: '0', 6: '0' },
      ...other,
    };
    const fields = Object.entries(values).flatMap(([tag, value]): [number, string][] =>
      value === null ? [] : [[Number(tag), value]],
    );
    this.send('8', fields, wish);
  }

  /** Sends TestRequest. @returns the answer, so everything that was sent before has been handled */
  async test(id: string): Promise<Message> {
    this.send('1', [[112, id]]);
    for (;;) {
      const heartbeat = await this.read('0');
      if (heartbeat.get(112) === id) return heartbeat;
    }
  }

  close(): void {
    this.socket.destroy();
  }
}

async function within<T>(promise: Promise<T>, otherwise: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${otherwise} within ${LIMIT_MS} ms`));
    }, LIMIT_MS);
    timer.unref();
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

const acceptors: HostileAcceptor[] = [];
// A test that failed has not closed its acceptor, and jest does not exit while one listens.
afterAll(async () => {
  await Promise.all(acceptors.map((acceptor) => acceptor.close()));
});

/** Listens on a free port of 127.0.0.1, until the end of the test file at the latest. */
export class HostileAcceptor {
  private readonly waiting: Peer[] = [];
  private readonly all: Peer[] = [];

  private constructor(private readonly server: Server) {
    server.on('connection', (socket) => {
      const peer = new Peer(socket);
      this.waiting.push(peer);
      this.all.push(peer);
      server.emit('peer');
    });
  }

  static async listen(): Promise<HostileAcceptor> {
    const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const acceptor = new HostileAcceptor(server);
    acceptors.push(acceptor);
    return acceptor;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** The next connection of the plugin. @throws Error when none comes within a minute */
  async peer(): Promise<Peer> {
    const found = this.waiting.shift();
    if (found !== undefined) return found;
    await within(once(this.server, 'peer'), 'the plugin did not connect');
    return this.peer();
  }

  async close(): Promise<void> {
    for (const peer of this.all) peer.close();
    if (!this.server.listening) return;
    this.server.close();
    await once(this.server, 'close');
  }
}
