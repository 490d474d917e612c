import type { Socket } from 'node:net';
import type { RemoteAddress } from '../pipeline/documents/incoming-request.js';

/** What is under way for a client. */
interface Cancellable {
  cancel(): void;
}

const CONNECTION = Symbol('the client of a socket');
type Marked = Socket & { [CONNECTION]?: Connection };

/**
 * A client's connection, and its requests that have no answer yet. When the client goes away they are
 * cancelled; one listener a connection, not one a request, waits for that.
 */
export class Connection {
  readonly remote: RemoteAddress | null;
  /** In the order they came. Mostly one: clients seldom ask before they have their answer. */
  private readonly underWay: Cancellable[] = [];

  private constructor(socket: Socket) {
    const { remoteAddress, remotePort } = socket;
    this.remote = remoteAddress === undefined ? null : { address: remoteAddress, port: remotePort ?? 0 };
    socket.once('close', () => {
      for (const request of this.underWay.splice(0)) request.cancel();
    });
  }

  static of(socket: Marked): Connection {
    return (socket[CONNECTION] ??= new Connection(socket));
  }

  begin(request: Cancellable): void {
    this.underWay.push(request);
  }

  end(request: Cancellable): void {
    if (this.underWay.at(-1) === request) this.underWay.pop();
    else {
      const place = this.underWay.indexOf(request);
      if (place !== -1) this.underWay.splice(place, 1);
    }
  }
}
