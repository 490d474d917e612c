import { Readable } from 'node:stream';
import type { Log } from '../log.js';
import { settle } from '../pipeline/attempt.js';
import type { PluginResponse } from '../plugins/plugin.js';
import { problemOf } from './problem.js';
import type { ServerRequest } from './request.js';

/**
 * Applies the rules of a request to its response.
 * @param send receives the response: at once, unless a rule waits for something
 */
export function finish(
  request: ServerRequest,
  response: PluginResponse,
  log: Log,
  send: (response: PluginResponse) => void,
): void {
  const { rules } = request;
  if (rules === null) {
    send(response);
    return;
  }
  settle(() => rules.finish(request, response), {
    answered: send,
    failed: (error) => {
      if (response.body instanceof Readable) response.body.destroy();
      send(problemOf(error, request.path, request.id, log));
    },
  });
}
