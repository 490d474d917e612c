import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll } from '@jest/globals';

/** What a device does with a request: bytes to send, or anything with the socket. */
export type Behaviour = (request: Buffer, socket: Socket) => Buffer | undefined;

/** A Modbus device that behaves as a test says. */
export interface HostileDevice {
  readonly port: number;
  /** Connections accepted so far. */
  connections(): number;
  /** Connections that are open. */
  open(): readonly Socket[];
  /** What it does with the next requests. */
  behave(behaviour: Behaviour): void;
  close(): Promise<void>;
}

/** The reply of a correct device, in which the register at address A holds A. */
export function goodReply(request: Buffer): Buffer {
  const code = request.readUInt8(7);
  if (code > 4) {
    const echo = Buffer.from(request.subarray(0, 12));
    echo.writeUInt16BE(6, 4);
    return echo;
  }
  const address = request.readUInt16BE(8);
  const quantity = request.readUInt16BE(10);
  const data = code <= 2 ? Buffer.alloc(Math.ceil(quantity / 8)) : Buffer.alloc(quantity * 2);
  if (code > 2) for (let i = 0; i < quantity; i += 1) data.writeUInt16BE(address + i, i * 2);
  const head = Buffer.from(request.subarray(0, 9));
  head.writeUInt16BE(3 + data.length, 4);
  head.writeUInt8(data.length, 8);
  return Buffer.concat([head, data]);
}

const devices: HostileDevice[] = [];
// A test that failed has not closed its device, and jest does not exit while one listens.
afterAll(async () => {
  await Promise.all(devices.map((device) => device.close()));
});

/** Listens on a free port of 127.0.0.1, until the end of the test file at the latest. */
export async function startHostileDevice(): Promise<HostileDevice> {
  let behaviour: Behaviour = goodReply;
  let accepted = 0;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (request) => {
      const reply = behaviour(request, socket);
      if (reply !== undefined) socket.write(reply);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const device: HostileDevice = {
    port: (server.address() as AddressInfo).port,
    connections: () => accepted,
    open: () => [...sockets],
    behave: (next) => void (behaviour = next),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => {
          resolve();
        });
      }),
  };
  devices.push(device);
  return device;
}
