import { redirectParts, type TargetPart } from '../config/source/redirect-target.js';
import type { RedirectConfig } from '../config/types.js';
import type { PluginResponse } from '../plugins/plugin.js';
import type { IncomingRequest } from './documents/incoming-request.js';

import type { PreparedEndpoint } from './prepared-endpoint.js';

/** An endpoint that sends its clients to another URL. */
export class RedirectEndpoint implements PreparedEndpoint {
  private readonly target: readonly TargetPart[];
  private readonly fragment: string;
  /** Number of the segments before the final `*` of the path. */
  private readonly segments: number;

  /** @param path the path of the endpoint, which has the parameters of the target */
  constructor(
    private readonly config: RedirectConfig,
    path: string,
  ) {
    const [target = '', fragment] = config.to.split('#', 2);
    this.target = redirectParts(target);
    this.fragment = fragment === undefined ? '' : `#${fragment}`;
    this.segments = path.split('/').length - 1;
  }

  respond(request: IncomingRequest): PluginResponse {
    const { status, query } = this.config;
    let location = '';
    for (const part of this.target)
      location += typeof part === 'string' ? part : this.value(part.parameter, request);
    // Browsers take "//host" and "/\host" for another host.
    if (location.startsWith('/')) location = `/${location.replace(/^[/\\]+/, '')}`;
    if (query === 'keep' && request.search !== '')
      location += (location.includes('?') ? '&' : '?') + encoded(request.search);
    return { status, headers: { location: location + this.fragment }, body: null };
  }

  private value(parameter: string, { match, path }: IncomingRequest): string {
    if (parameter === '*') return encoded(path.split('/').slice(this.segments).join('/'));
    return encodeURIComponent(match.params[parameter]!);
  }
}

/** A part of a request's target as it was sent, with what a URL cannot contain percent-encoded. */
function encoded(text: string): string {
  return text.replace(/[^!#-;=?-[\]_a-z~]/g, (character) => encodeURIComponent(character));
}
