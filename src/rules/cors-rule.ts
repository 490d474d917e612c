import type { CorsConfig, EndpointConfig } from '../config/types.js';
import { joinedRawHeader, rawHeader } from '../pipeline/documents/header-map.js';
import type { HeaderMap, PluginResponse } from '../plugins/plugin.js';
import type { Rule, RuledRequest } from './rule.js';

const TOKEN_LIST = /^[\w!#$%&'*+.^`|~, -]*$/;
const METHOD = /^[\w!#$%&'*+.^`|~-]{1,32}$/;
/** Headers of the answer that only this rule sets, whatever a plugin or target says. */
const DECIDED = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-expose-headers',
];

/** Whether a browser asks with a request what it may send. */
function isPreflight({ method, rawHeaders }: Pick<RuledRequest, 'method' | 'rawHeaders'>): boolean {
  return (
    method === 'OPTIONS' &&
    wantedMethod(rawHeaders) !== undefined &&
    rawHeader(rawHeaders, 'origin') !== undefined
  );
}

/** The method that a preflight request asks about. */
export function wantedMethod(rawHeaders: readonly string[]): string | undefined {
  return rawHeader(rawHeaders, 'access-control-request-method');
}

/**
 * Cross-origin resource sharing (the CORS protocol of the Fetch standard). Preflight requests are answered before any
 * hook, and every other response says whether scripts of the asking origin may read it: errors, too.
 */
export class CorsRule implements Rule {
  private readonly allows: (origin: string) => boolean;
  private readonly everyone: boolean;
  private readonly exposed: string;

  /** @param endpoint the endpoint whose methods are allowed unless the configuration lists some; null: all methods */
  constructor(
    private readonly config: CorsConfig,
    private readonly endpoint: Pick<EndpointConfig, 'methods'> | null,
  ) {
    this.everyone = config.origins.includes('*') && !config.credentials;
    this.allows = originMatcher(config.origins);
    this.exposed = config.exposeHeaders.join(', ');
  }

  admit(request: RuledRequest): PluginResponse | null {
    if (!isPreflight(request)) return null;
    const headers: HeaderMap = {
      vary: 'access-control-request-method, access-control-request-headers',
    };
    if (this.allows(rawHeader(request.rawHeaders, 'origin')!)) this.permit(headers, request.rawHeaders);
    return { status: 204, headers, body: null };
  }

  finish({ rawHeaders }: RuledRequest, response: PluginResponse): PluginResponse {
    const { headers } = response;
    for (const name of DECIDED) delete headers[name];
    const origin = rawHeader(rawHeaders, 'origin');
    if (!this.everyone) headers.vary = withOrigin(headers.vary);
    if (origin === undefined || !this.allows(origin)) return response;
    headers['access-control-allow-origin'] = this.everyone ? '*' : origin;
    if (this.config.credentials) headers['access-control-allow-credentials'] = 'true';
    if (this.exposed !== '') headers['access-control-expose-headers'] = this.exposed;
    return response;
  }

  private permit(headers: HeaderMap, rawHeaders: readonly string[]): void {
    const { methods, headers: allowed, maxAgeMs, privateNetwork } = this.config;
    const wanted = wantedMethod(rawHeaders)!;
    const listed = methods ?? withHead(this.endpoint?.methods ?? []);
    if (listed.length > 0) headers['access-control-allow-methods'] = listed.join(', ');
    else if (METHOD.test(wanted)) headers['access-control-allow-methods'] = wanted;
    const asked = joinedRawHeader(rawHeaders, 'access-control-request-headers');
    if (allowed !== null) headers['access-control-allow-headers'] = allowed.join(', ');
    else if (asked !== undefined && TOKEN_LIST.test(asked)) headers['access-control-allow-headers'] = asked;
    headers['access-control-max-age'] = String(Math.floor(maxAgeMs / 1000));
    if (privateNetwork && rawHeader(rawHeaders, 'access-control-request-private-network') === 'true')
      headers['access-control-allow-private-network'] = 'true';
  }
}

/** An endpoint that accepts GET accepts HEAD as well. */
function withHead(methods: readonly string[]): readonly string[] {
  return methods.includes('GET') && !methods.includes('HEAD') ? [...methods, 'HEAD'] : methods;
}

function withOrigin(vary: HeaderMap[string] | undefined): string {
  const fields = [vary ?? []].flat().join(', ');
  if (fields === '') return 'origin';
  return /(?:^|,)\s*(?:origin|\*)\s*(?:,|$)/i.test(fields) ? fields : `${fields}, origin`;
}

const ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/;

/** @param patterns checked origins; `*` for every origin, `https://*.host` for every name below a host */
function originMatcher(patterns: readonly string[]): (origin: string) => boolean {
  if (patterns.includes('*')) return () => true;
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')));
  const wild = patterns
    .filter((pattern) => pattern.includes('*'))
    .map((pattern) => {
      const [, scheme, suffix, port] = /^([^:]+):\/\/\*(\.[^:]+)(?::(\d+))?$/.exec(pattern)!;
      return { scheme, suffix: suffix!, port };
    });
  return (origin) => {
    if (exact.has(origin)) return true;
    if (wild.length === 0) return false;
    const [, scheme, host, port] = ORIGIN.exec(origin) ?? [];
    if (host === undefined) return false;
    return wild.some(
      (pattern) =>
        pattern.scheme === scheme &&
        pattern.port === port &&
        host.length > pattern.suffix.length &&
        host.endsWith(pattern.suffix),
    );
  };
}
