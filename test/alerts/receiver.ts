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

/** A webhook: an HTTP server on loopback that keeps the alerts it receives. */
export class Receiver {
  readonly received: Received[] = [];
  /** Answers the next alerts; with null they are not answered. */
  answer: ((response: ServerResponse) => void) | null = (response) => response.writeHead(204).end();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** @param port 0 for a free port */
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

  /** The events in the order of their arrival. */
  get events(): string[] {
    return this.received.map(({ alert }) => alert.event);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
