import type { Readable } from 'node:stream';
import type { BodyLimits, IncomingRequest } from '../pipeline/documents/incoming-request.js';

/** The body of a client that is passed on as it arrives. It is read from the client only when a target wants it. */
export class StreamedBody {
  private stream: Readable | null = null;

  constructor(
    private readonly client: IncomingRequest,
    private readonly limits: BodyLimits,
  ) {}

  /** Whether a part may have been read. Then the request cannot be sent to another target. */
  get isOpen(): boolean {
    return this.stream !== null;
  }

  /** Whether the client waits to be told to send it. */
  get isHeldBack(): boolean {
    return this.client.awaitsContinue;
  }

  /** Whether the client has sent everything. */
  get hasEnded(): boolean {
    return this.stream !== null && this.stream.readableEnded;
  }

  /** Call once. */
  open(): Readable {
    return (this.stream ??= this.client.bodyStream(this.limits));
  }
}
