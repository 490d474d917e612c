import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Listener } from '../deferred.js';
import type { Log } from '../log.js';
import type { PluginResponse } from '../plugins/plugin.js';
import { writeAnswer } from './answer.js';
import { Connection } from './connection.js';
import { problemOf } from './problem.js';
import { discardRest } from './request-body.js';
import type { ServerRequest } from './server-request.js';

/** A request over a socket, from its arrival to its answer; cancelled when the client goes away before that. */
export class SocketExchange implements Listener<PluginResponse> {
  readonly #connection: Connection;

  constructor(
    private readonly request: ServerRequest,
    private readonly incoming: IncomingMessage,
    private readonly outgoing: ServerResponse,
    private readonly log: Log,
  ) {
    this.#connection = Connection.of(incoming.socket);
    this.#connection.begin(request);
  }

  answered(answer: PluginResponse): void {
    const { request, outgoing, log } = this;
    this.#end();
    try {
      writeAnswer(answer, request, outgoing, log);
    } catch (error) {
      if (outgoing.headersSent) outgoing.destroy();
      this.#writeProblem(error);
    }
  }

  failed(error: unknown): void {
    this.#end();
    if (!this.request.cancelled) this.#writeProblem(error);
  }

  #writeProblem(error: unknown): void {
    const { request, outgoing, log } = this;
    if (!outgoing.destroyed)
      writeAnswer(problemOf(error, request.path, request.id, log), request, outgoing, log);
  }

  #end(): void {
    const { request, incoming } = this;
    request.end();
    this.#connection.end(request);
    if (request.hasBody && !incoming.complete) discardRest(incoming);
  }
}
