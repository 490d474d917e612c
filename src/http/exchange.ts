import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { Listener } from '../deferred.js';
import type { Log } from '../log.js';
import type { PluginResponse } from '../plugins/plugin.js';
import { writeAnswer } from './answer.js';
import { Connection } from './connection.js';
import { problemOf } from './problem.js';
import { discardRest, isWaiting } from './body.js';
import type { ServerRequest } from './request.js';

const REQUEST_TIMEOUT = 408;

/** A request over a socket, from arrival to answer. It is cancelled when the client goes away first. */
export class SocketExchange implements Listener<PluginResponse> {
  private readonly connection: Connection;

  constructor(
    private readonly request: ServerRequest,
    private readonly incoming: IncomingMessage,
    private readonly outgoing: ServerResponse,
    private readonly log: Log,
  ) {
    this.connection = Connection.of(incoming.socket);
    this.connection.begin(request);
    request.outgoing = outgoing;
  }

  answered(answer: PluginResponse): void {
    const { request, outgoing, log } = this;
    this.end();
    // When the rest of the body will come is unknown, and until then the connection is of no use.
    if ((answer.status === REQUEST_TIMEOUT && !this.incoming.complete) || isWaiting(this.incoming))
      outgoing.setHeader('connection', 'close');
    // A plugin or proxy target that answers while the body still arrives may continue to read it.
    if (answer.body instanceof Readable) outgoing.once('finish', () => this.discardRest());
    else this.discardRest();
    try {
      writeAnswer(answer, request, outgoing, log);
    } catch (error) {
      if (outgoing.headersSent) outgoing.destroy();
      this.writeProblem(error);
    }
  }

  failed(error: unknown): void {
    this.end();
    this.discardRest();
    if (!this.request.cancelled) this.writeProblem(error);
  }

  private writeProblem(error: unknown): void {
    const { request, outgoing, log } = this;
    if (!outgoing.destroyed)
      writeAnswer(problemOf(error, request.path, request.id, log), request, outgoing, log);
  }

  private end(): void {
    this.request.end();
    this.connection.end(this.request);
  }

  private discardRest(): void {
    const { request, incoming } = this;
    if (!request.hasBody || incoming.complete) return;
    request.observed?.countRequestBody(incoming);
    discardRest(incoming);
  }
}
