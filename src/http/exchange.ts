import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { Listener } from '../deferred.js';
import type { Log } from '../log.js';
import type { PluginResponse } from '../plugins/plugin.js';
import { writeAnswer } from './answer.js';
import { Connection } from './connection.js';
import { finish } from './finish.js';
import type { Client } from './peer.js';
import { problemOf } from './problem.js';
import { discardRest, isWaiting } from './body.js';
import type { ServerRequest } from './request.js';

const REQUEST_TIMEOUT = 408;

/** A request over a socket, from arrival to answer. It is cancelled when the client goes away first. */
export class SocketExchange implements Listener<PluginResponse> {
  private readonly client: Client;

  constructor(
    private readonly request: ServerRequest,
    private readonly incoming: IncomingMessage,
    private readonly outgoing: ServerResponse,
    private readonly log: Log,
  ) {
    this.client = Connection.clientOf(incoming);
    this.client.begin(request);
    request.outgoing = outgoing;
  }

  answered(answer: PluginResponse): void {
    this.end();
    if (this.request.rules === null) this.send(answer);
    else finish(this.request, answer, this.log, (finished) => this.send(finished));
  }

  failed(error: unknown): void {
    const { request, log } = this;
    this.end();
    this.discardRest();
    if (request.cancelled) return;
    const problem = problemOf(error, request.path, request.id, log);
    finish(request, problem, log, (finished) => this.write(finished));
  }

  private send(answer: PluginResponse): void {
    const { request, outgoing, log } = this;
    // When the rest of the body will come is unknown, and until then the connection is of no use.
    if ((answer.status === REQUEST_TIMEOUT && !this.incoming.complete) || isWaiting(this.incoming))
      this.client.closeAfter(outgoing);
    // A plugin or proxy target that answers while the body still arrives may continue to read it.
    if (answer.body instanceof Readable) outgoing.once('finish', () => this.discardRest());
    else this.discardRest();
    try {
      writeAnswer(answer, request, outgoing, log);
    } catch (error) {
      if (outgoing.headersSent) outgoing.destroy();
      this.write(problemOf(error, request.path, request.id, log));
    }
  }

  private write(problem: PluginResponse): void {
    const { request, outgoing, log } = this;
    if (!outgoing.destroyed) writeAnswer(problem, request, outgoing, log);
  }

  private end(): void {
    this.request.end();
    this.client.end(this.request);
  }

  private discardRest(): void {
    const { request, incoming } = this;
    if (!request.hasBody || incoming.complete) return;
    request.observed?.countRequestBody(incoming);
    discardRest(incoming);
  }
}
