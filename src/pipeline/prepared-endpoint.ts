import type { Awaitable, PluginResponse } from '../plugins/plugin.js';
import type { BodyLimits, IncomingRequest } from './documents/incoming-request.js';
import type { RequestDocument } from './documents/request-document.js';

/** An endpoint that no plugin answers, prepared once. */
export interface PreparedEndpoint {
  /**
   * @param document the request after the plugins; null when no plugin has seen it
   * @param serverLimits the server's limits of request bodies
   * @returns an answer whose headers the caller may change
   */
  respond(
    request: IncomingRequest,
    document: RequestDocument | null,
    serverLimits: BodyLimits,
  ): Awaitable<PluginResponse>;
}
