import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Alert } from '../../dist/alerts/alert.js';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly alert: Alert;
}

/** What a webhook leads to: an HTTP server on loopback that keeps what it gets. */
export class Receiver {
  readonly received: Received[] = [];
  /** How the next alerts are answered; not at all for null. */
  answer: ((response: ServerResponse) => void) | null = (response) => response.writeHead(204).end();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** @param port 0 takes a free one */
  static async open(port = 0): Promise<Receiver> {
    const server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const receiver = new Receiver(server, (server.address() as AddressInfo).port);
    server.on('request', (request, response) => {
      void text(request).then((body) => {
        const alert = JSON.parse(body) as Alert;
        receiver.received.push({ path: request.url ?? '', headers: request.headers, alert });
        receiver.answer?.(response);
      });
    });
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook`;
  }

  /** The events, in the order they came. */
  get events(): string[] {
    return this.received.map(({ alert }) => alert.event);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
