import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Fields in their order: tag and value. */
export type Fields = readonly (readonly [tag: number, value: string])[];

const SOH = '\x01';
const LIMIT_MS = 60_000;

const sum = (text: string): string => {
  let total = 0;
  for (const byte of Buffer.from(text, 'latin1')) total += byte;
  return String(total % 256).padStart(3, '0');
};

/** The bytes of a message whose fields begin with MsgType. */
export function encode(fields: Fields): string {
  const body = fields.map(([tag, value]) => `${tag}=${value}${SOH}`).join('');
  const text = `8=FIX.4.4${SOH}9=${body.length}${SOH}${body}`;
  return `${text}10=${sum(text)}${SOH}`;
}

export interface Wish {
  /** MsgSeqNum; default: the next. */
  readonly number?: number;
  readonly sender?: string;
  readonly possDup?: boolean;
  /** Changes the bytes, such as their checksum. */
  readonly change?: (bytes: string) => string;
}

/** One connection of the plugin, seen by an acceptor that breaks any rule the test wants. */
export class Peer {
  next = 1;
  readonly closed: Promise<unknown>;
  readonly #socket: Socket;
  readonly #messages: Map<number, string>[] = [];
  #buffer = '';
  #arrived = (): void => undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket
      .on('error', () => undefined)
      .on('data', (bytes) => {
        this.#buffer += bytes.toString('latin1');
        for (;;) {
          const end = /\x0110=\d{3}\x01/.exec(this.#buffer);
          if (end === null) break;
          const text = this.#buffer.slice(0, end.index + end[0].length);
          this.#buffer = this.#buffer.slice(text.length);
          const fields = text.split(SOH).slice(0, -1);
          this.#messages.push(
            new Map(
              fields.map((field): [number, string] => [
                Number.parseInt(field),
                field.slice(field.indexOf('=') + 1),
              ]),
            ),
          );
          expectWellFormed(text);
        }
        this.#arrived();
      });
  }

  /** The next message of this type; earlier ones of other types are dropped. */
  async read(type: string): Promise<Map<number, string>> {
    const until = Date.now() + LIMIT_MS;
    for (;;) {
      const message = this.#messages.shift();
      if (message?.get(35) === type) return message;
      if (message !== undefined) continue;
      if (Date.now() > until) throw new Error(`no message of type ${type} came`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        this.#arrived = () => (clearTimeout(timer), resolve());
      });
    }
  }

  raw(bytes: string): void {
    this.#socket.write(Buffer.from(bytes, 'latin1'));
  }

  send(type: string, body: Fields = [], wish: Wish = {}): void {
    const number = wish.number ?? this.next;
    if (wish.number === undefined) this.next += 1;
    const bytes = encode([
      [35, type],
      [49, wish.sender ?? 'ACCEPTOR'],
      [56, 'BACKWORKS'],
      [34, String(number)],
      ...(wish.possDup === true ? ([[43, 'Y']] as const) : []),
      [52, '20260102-03:04:05.678'],
      ...body,
    ]);
    this.raw((wish.change ?? ((same) => same))(bytes));
  }

  /** Answers Logon. @returns the Logon of the plugin */
  async logOn(next = 1): Promise<Map<number, string>> {
    const logon = await this.read('A');
    this.next = next;
    this.send('A', [
      [98, '0'],
      [108, logon.get(108) ?? ''],
      ...(logon.has(141) ? ([[141, 'Y']] as const) : []),
    ]);
    return logon;
  }

  /** Reports an order as new. */
  report(order: Map<number, string>, wish: Wish = {}): void {
    const id = order.get(11) ?? '';
    const rest: Fields = [
      [37, `O-${id}`],
      [17, `E-${id}`],
      [150, '0'],
      [39, '0'],
      [55, 'BWX'],
      [54, '1'],
      [151, '5'],
      [14, '0'],
      [6, '0'],
    ];
    this.send('8', [[11, id], ...rest], wish);
  }

  close(): void {
    this.#socket.destroy();
  }
}

function expectWellFormed(text: string): void {
  const body = text.slice(text.indexOf(SOH, text.indexOf(SOH) + 1) + 1, -7);
  const fields = body
    .split(SOH)
    .slice(0, -1)
    .map((field): [number, string] => [Number.parseInt(field), field.slice(field.indexOf('=') + 1)]);
  if (encode(fields) !== text)
    throw new Error(`the plugin sent a malformed message: ${JSON.stringify(text)}`);
}

export class Acceptor {
  readonly #server: Server;
  readonly #peers: Peer[] = [];
  readonly #all: Peer[] = [];

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      const peer = new Peer(socket);
      this.#peers.push(peer);
      this.#all.push(peer);
      server.emit('peer');
    });
  }

  static async listen(): Promise<Acceptor> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Acceptor(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The next connection of the plugin. */
  async peer(): Promise<Peer> {
    for (;;) {
      const peer = this.#peers.shift();
      if (peer !== undefined) return peer;
      await once(this.#server, 'peer');
    }
  }

  async close(): Promise<void> {
    for (const peer of this.#all) peer.close();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
