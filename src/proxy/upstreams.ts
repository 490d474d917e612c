import type { ProxyConfig } from '../config/proxy-types.js';
import type { Log } from '../log.js';
import { HealthChecks } from './health-checks.js';
import { ProxyEndpoint } from './proxy-endpoint.js';
import { Target, targetKey, targetSettings } from './target.js';
import { TargetGroup } from './target-group.js';
import type { TargetChange } from './target-health.js';

/**
 * The targets of all proxy endpoints. A target that a reload does not change keeps its state, its connections and its
 * checks.
 */
export class Upstreams {
  /** The groups in service, by endpoint. */
  private groups: ReadonlyMap<string, TargetGroup> = new Map();
  private readonly checks = new Map<Target, HealthChecks>();

  constructor(private readonly log: Log) {}

  /**
   * Prepares an endpoint to answer. Its targets are not checked before serve().
   * @throws BackworksError BW_CONFIG_INVALID when a URL or a file of `tls` cannot be used
   */
  prepare(name: string, config: ProxyConfig): ProxyEndpoint {
    const settings = targetSettings(name, config);
    const known = new Map(this.groups.get(name)?.targets.map((target) => [target.key, target]));
    const targets = config.targets.map(
      ({ url }) =>
        known.get(targetKey(url, settings)) ??
        new Target(name, url, settings, (target, change) => this.report(target, change)),
    );
    return new ProxyEndpoint(new TargetGroup(name, config, targets));
  }

  /** Puts endpoints into service, and all others out of service. */
  serve(endpoints: readonly ProxyEndpoint[]): void {
    this.groups = new Map(endpoints.map(({ group }) => [group.endpoint, group]));
    const serving = new Set(endpoints.flatMap(({ group }) => group.targets));
    for (const [target, checks] of this.checks) {
      if (serving.has(target)) continue;
      checks.stop();
      this.checks.delete(target);
    }
    for (const target of serving) {
      const { health } = target.settings;
      if (health !== null && !this.checks.has(target))
        this.checks.set(target, new HealthChecks(target, health));
    }
  }

  /** The groups in service. */
  list(): readonly TargetGroup[] {
    return [...this.groups.values()];
  }

  private report({ url, endpoint, settings }: Target, { from, to, reason }: TargetChange): void {
    const targets = this.groups.get(endpoint)?.targets ?? [];
    const up = targets.filter(({ health }) => health.state === 'up').length;
    const fields = { endpoint, target: url, state: to };
    const rest = `${up} of the endpoint's ${targets.length} targets ${up === 1 ? 'is' : 'are'} up`;
    const what = `target ${url} of endpoint ${endpoint}`;
    if (to === 'up') this.log.info(fields, `${what} is up again: ${reason}; ${rest}`);
    else if (to === 'down')
      this.log.warn(fields, `${what} is down: ${reason}; it gets no requests until checks pass; ${rest}`);
    else if (from === 'up') {
      const seconds = settings.circuitBreaker.resetAfterMs / 1000;
      this.log.warn(fields, `${what} is out: ${reason}; one request tries it again in ${seconds} s; ${rest}`);
    }
  }
}
