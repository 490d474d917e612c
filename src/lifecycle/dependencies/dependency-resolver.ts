import { type BackworksError, PluginFailure } from '../../errors.js';
import type { PluginDependency, PluginMetadata } from '../../plugins/metadata.js';
import { satisfies } from '../../plugins/version.js';

/** A plugin as far as dependencies are concerned. */
export interface DependencyNode {
  /** As configured, which is what others know it by. */
  readonly name: string;
  /** Null when its library was not described: then it needs nothing, and can be needed by name only. */
  readonly metadata: Pick<PluginMetadata, 'version' | 'capabilities' | 'dependencies'> | null;
  /** False for a plugin that is switched off. */
  readonly enabled: boolean;
}

/** Who needs whom. */
export interface Resolution {
  /** Plugins to be loaded, in an order in which each comes after those it needs; otherwise as given. */
  readonly order: readonly string[];
  /** By plugin, the plugins that provide what it needs, optional ones included, where they are there. */
  readonly providers: ReadonlyMap<string, readonly Provider[]>;
  /** By plugin, why it cannot be loaded, whatever happens. */
  readonly failures: ReadonlyMap<string, PluginFailure>;
}

export interface Provider {
  readonly name: string;
  readonly dependency: PluginDependency;
}

/**
 * Finds for each plugin who provides what it depends on, and an order to load them in. Optional
 * dependencies that are absent, of another version or would close a circle do not count.
 */
export class DependencyResolver {
  private readonly byName: ReadonlyMap<string, DependencyNode>;
  private readonly providers = new Map<string, Provider[]>();
  private readonly failures = new Map<string, PluginFailure>();

  /** @param nodes in the order of the configuration */
  constructor(private readonly nodes: readonly DependencyNode[]) {
    this.byName = new Map(nodes.map((node) => [node.name, node]));
  }

  resolve(): Resolution {
    const enabled = this.nodes.filter((node) => node.enabled);
    for (const node of enabled) this.providers.set(node.name, this.providersOf(node));
    for (const node of enabled) this.findCircle(node.name);
    return { order: this.order(enabled), providers: this.providers, failures: this.failures };
  }

  private providersOf(node: DependencyNode): Provider[] {
    return (node.metadata?.dependencies ?? []).flatMap((dependency) => {
      const found = this.find(node, dependency);
      if (typeof found !== 'string') return [{ name: found.name, dependency }];
      if (!dependency.optional) this.fail(node.name, `plugin ${node.name} needs ${found}`);
      return [];
    });
  }

  /** The plugin that provides something, or what is missing and why. */
  private find(node: DependencyNode, dependency: PluginDependency): DependencyNode | string {
    const wanted = describe(dependency);
    const others = this.nodes.filter((other) => other !== node && provides(other, dependency));
    const fitting = others.filter((other) => fits(other, dependency));
    const ready = fitting.find(({ enabled }) => enabled);
    if (ready !== undefined) return ready;
    const [disabled] = fitting;
    if (disabled !== undefined) return `${wanted}, but ${disabled.name} is disabled`;
    const [other] = others;
    if (other !== undefined) return `${wanted}, but ${other.name} is ${other.metadata?.version}`;
    return `${wanted}, which no plugin ${dependency.kind === 'plugin' ? 'is named' : 'provides'}`;
  }

  /** Plugins that need each other can only fail together. */
  private findCircle(start: string): void {
    if (this.failures.has(start)) return;
    const path: string[] = [];
    const seen = new Set<string>();
    const visit = (name: string): boolean => {
      path.push(name);
      for (const { name: next, dependency } of this.providers.get(name) ?? []) {
        if (dependency.optional) continue;
        if (next === start) return true;
        if (seen.has(next)) continue;
        seen.add(next);
        if (visit(next)) return true;
      }
      path.pop();
      return false;
    };
    if (!visit(start)) return;
    const circle = [...path, start].join(' → ');
    for (const name of path) this.fail(name, `plugins need each other: ${circle}`);
  }

  /** An optional dependency has no say in the order where somebody else needs the reverse. */
  private order(enabled: readonly DependencyNode[]): string[] {
    const before = new Map<string, string[]>();
    const comesAfter = (name: string, other: string): boolean =>
      name === other || (before.get(name) ?? []).some((earlier) => comesAfter(earlier, other));
    const add = (wanted: boolean): void => {
      for (const { name } of enabled) {
        const earlier = before.get(name) ?? [];
        before.set(name, earlier);
        for (const provider of this.providers.get(name) ?? []) {
          if (provider.dependency.optional !== wanted) continue;
          if (!comesAfter(provider.name, name)) earlier.push(provider.name);
        }
      }
    };
    add(false);
    add(true);
    const order = new Set<string>();
    const visit = (name: string): void => {
      if (order.has(name)) return;
      for (const earlier of before.get(name) ?? []) visit(earlier);
      order.add(name);
    };
    for (const { name } of enabled) visit(name);
    return [...order];
  }

  private fail(name: string, message: string): void {
    if (!this.failures.has(name)) this.failures.set(name, dependencyFailure(name, message));
  }
}

/** Plugins of which something else depends, directly or through others, in the order given. */
export function dependentsOf(name: string, providers: Resolution['providers']): string[] {
  const dependents = new Set<string>();
  const add = (wanted: string): void => {
    for (const [dependent, needed] of providers) {
      const needs = needed.some((provider) => provider.name === wanted && !provider.dependency.optional);
      if (!needs || dependents.has(dependent)) continue;
      dependents.add(dependent);
      add(dependent);
    }
  };
  add(name);
  return [...providers.keys()].filter((candidate) => dependents.has(candidate));
}

/** @param name the plugin that cannot be loaded */
export function dependencyFailure(name: string, message: string, cause?: BackworksError): PluginFailure {
  return new PluginFailure('BW_PLUGIN_DEPENDENCY', message, {
    plugin: name,
    phase: 'load',
    hint: 'add, enable or update what it needs; backworks plugin list shows what there is',
    cause,
  });
}

function provides({ name, metadata }: DependencyNode, { kind, name: wanted }: PluginDependency): boolean {
  return kind === 'plugin' ? name === wanted : metadata?.capabilities.includes(wanted) === true;
}

/** One that nothing is known of is tried: what is wrong with it is a better reason than "not known". */
function fits({ metadata }: DependencyNode, { version }: PluginDependency): boolean {
  return version === '*' || metadata === null || satisfies(metadata.version, version);
}

function describe({ kind, name, version }: PluginDependency): string {
  const what = kind === 'plugin' ? `plugin ${name}` : `something that provides ${name}`;
  return version === '*' ? what : `${what} ${version}`;
}
