import { BackworksError } from '../errors.js';
import { rawHeader } from '../pipeline/documents/header-map.js';
import { problem } from '../pipeline/problem.js';
import type { PluginResponse } from '../plugins/plugin.js';
import type { Rule, RuledRequest } from './rule.js';

/** Permanent, and keeps the method. */
const PERMANENT = 308;
const HOST = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d*)?$/;

/** Sends the clients of requests that did not come over TLS to the same URL with https. */
export class PlainHttpRule implements Rule {
  admit(request: RuledRequest): PluginResponse | null {
    if ((request.stated?.scheme ?? request.scheme) === 'https') return null;
    const given = request.stated?.host ?? rawHeader(request.rawHeaders, 'host') ?? '';
    const host = HOST.exec(given)?.[1];
    if (host === undefined) {
      const error = new BackworksError('BW_REQUEST_INVALID', 'the Host header names no host');
      return problem(error, request.path, request.id);
    }
    const query = request.search === '' ? '' : `?${request.search}`;
    return { status: PERMANENT, headers: { location: `https://${host}${request.path}${query}` }, body: null };
  }
}
