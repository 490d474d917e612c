import type { EndpointConfig } from '../config/types.js';
import { ProxyEndpoint } from '../proxy/proxy-endpoint.js';
import type { Upstreams } from '../proxy/upstreams.js';
import { FilesEndpoint } from './files/files-endpoint.js';
import type { PreparedEndpoint } from './prepared-endpoint.js';
import { RedirectEndpoint } from './redirect-endpoint.js';
import { StaticEndpoint } from './static-endpoint.js';

/** The endpoints that no plugin answers, each prepared once. */
export class PreparedEndpoints {
  private readonly prepared = new WeakMap<EndpointConfig, PreparedEndpoint | null>();

  constructor(private readonly upstreams: Upstreams) {}

  /**
   * @returns null when plugins answer the endpoint
   * @throws BackworksError BW_CONFIG_INVALID when the endpoint cannot work
   */
  of(endpoint: EndpointConfig): PreparedEndpoint | null {
    let prepared = this.prepared.get(endpoint);
    if (prepared === undefined) {
      prepared = this.build(endpoint);
      this.prepared.set(endpoint, prepared);
    }
    return prepared;
  }

  /** Puts endpoints into service: the targets of their proxies are checked from now on, and no others. */
  serve(endpoints: readonly EndpointConfig[]): void {
    const prepared = endpoints.map((endpoint) => this.of(endpoint));
    this.upstreams.serve(prepared.filter((endpoint) => endpoint instanceof ProxyEndpoint));
  }

  private build(endpoint: EndpointConfig): PreparedEndpoint | null {
    const { name, path, target } = endpoint;
    switch (target.kind) {
      case 'static':
        return new StaticEndpoint(name, target.response);
      case 'proxy':
        return this.upstreams.prepare(name, target);
      case 'files':
        return new FilesEndpoint(endpoint, target.files);
      case 'redirect':
        return new RedirectEndpoint(target.redirect, path);
      case 'plugin':
      case 'any-plugin':
        return null;
    }
  }
}
