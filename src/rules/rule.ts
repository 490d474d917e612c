import type { IncomingRequest, PassedRequest } from '../pipeline/documents/incoming-request.js';
import type { Awaitable, PluginResponse } from '../plugins/plugin.js';

/** A request as rules see it. */
export interface RuledRequest extends IncomingRequest {
  /** Flat list [name, value, name, value, …]. A rule replaces the list; it may be shared, so it is not changed. */
  rawHeaders: readonly string[];
}

/**
 * One kind of rule around the answers of an endpoint. It is prepared once, from the configuration, and has only the
 * methods it needs: a missing method costs a request nothing. An error that a method throws becomes the response.
 */
export interface Rule {
  /**
   * Runs before all hooks. A response ends the request: no hook sees it.
   * @returns null to continue
   */
  admit?(request: RuledRequest): Awaitable<PluginResponse | null>;
  /**
   * Runs behind the before_request hooks, before the endpoint is asked. The after_response hooks see a response.
   * @param document the request after the hooks; null when no plugin needs it
   * @returns null to continue
   */
  pass?(request: RuledRequest, document: PassedRequest | null): Awaitable<PluginResponse | null>;
  /**
   * Runs for each response, whoever gave it, just before it is written. May change the headers of the response that it
   * receives, and returns that response or another one.
   */
  finish?(request: RuledRequest, response: PluginResponse): Awaitable<PluginResponse>;
}
