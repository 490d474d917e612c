import type { Socket } from 'node:net';

/** What is under way for a client. */
interface Cancellable {
  cancel(): void;
}

const CONNECTION = Symbol('what is under way on a connection');
type Marked = Socket & { [CONNECTION]?: Connection };

/**
 * The requests of one client connection that have no answer yet. When the client goes away they are
 * cancelled; one listener a connection, not one a request, waits for that.
 */
export class Connection {
  private readonly underWay = new Set<Cancellable>();

  private constructor(socket: Socket) {
    socket.once('close', () => {
      for (const request of this.underWay) request.cancel();
    });
  }

  static of(socket: Marked): Connection {
    return (socket[CONNECTION] ??= new Connection(socket));
  }

  begin(request: Cancellable): void {
    this.underWay.add(request);
  }

  end(request: Cancellable): void {
    this.underWay.delete(request);
  }
}
