import { BackworksError } from '../errors.js';
import { AS_IT_IS, exactJson } from '../config/source/written.js';
import type { StaticResponse } from '../config/types.js';
import type { PluginResponse } from '../plugins/plugin.js';
import type { PreparedEndpoint } from './prepared-endpoint.js';
import { checkResponseParts } from '../plugins/response-check.js';

/** An endpoint that is answered from the configuration. Everything is prepared once. */
export class StaticEndpoint implements PreparedEndpoint {
  private readonly response: PluginResponse;

  /** @throws BackworksError BW_CONFIG_INVALID when status or headers cannot be sent. */
  constructor(name: string, { status, headers, body, written = AS_IT_IS }: StaticResponse) {
    try {
      const checked = checkResponseParts(status, headers);
      const contentType = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
      if (body !== undefined) checked['content-type'] ??= contentType;
      const text = body === undefined ? null : typeof body === 'string' ? body : exactJson(body, written);
      this.response = { status, headers: checked, body: text };
    } catch (cause) {
      throw new BackworksError('BW_CONFIG_INVALID', `endpoint ${name}: ${(cause as Error).message}`, {
        cause,
      });
    }
  }

  /** The answer. The caller may change its headers. */
  respond(): PluginResponse {
    const { status, headers, body } = this.response;
    return { status, headers: { ...headers }, body };
  }
}
