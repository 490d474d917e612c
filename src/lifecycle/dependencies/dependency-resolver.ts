import { type BackworksError, PluginFailure } from '../../errors.js';
import type { PluginDependency, PluginMetadata } from '../../plugins/metadata.js';
import { satisfies } from '../../plugins/version.js';

/** The facts about a plugin that matter for dependencies. */
export interface DependencyNode {
  /** The configured name; other plugins refer to this name. */
  readonly name: string;
  /** Null if the library was not described. The plugin then has no dependencies and provides only its name. */
  readonly metadata: Pick<PluginMetadata, 'version' | 'capabilities' | 'dependencies'> | null;
  /** False for a disabled plugin. */
  readonly enabled: boolean;
}

/** The resolved dependencies of all plugins. */
export interface Resolution {
  /** The plugins to load: each after its dependencies, otherwise in the given order. */
  readonly order: readonly string[];
  /** Plugin name → the plugins that provide its dependencies, including the optional dependencies that exist. */
  readonly providers: ReadonlyMap<string, readonly Provider[]>;
  /** Plugin name → why the plugin cannot be loaded at all. */
  readonly failures: ReadonlyMap<string, PluginFailure>;
}

export interface Provider {
  readonly name: string;
  readonly dependency: PluginDependency;
}

/**
 * Finds the providers of each plugin's dependencies, and a load order. An optional dependency is ignored if it is
 * missing, has another version or would close a circle.
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

  /** The plugin that provides a dependency, or a text that says what is missing and why. */
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

  /** Fails all plugins of a circle, because none of them can be loaded first. */
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
    for (const name of path) this.fail(name, `circular dependency: ${circle}`);
  }

  /** Required dependencies decide first. An optional one is ignored where it contradicts the order so far. */
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

/** Plugins that require the named plugin, directly or indirectly, in the given order. */
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
    hint: 'add, enable or update the missing plugin; backworks plugin list shows all plugins',
    cause,
  });
}

function provides({ name, metadata }: DependencyNode, { kind, name: wanted }: PluginDependency): boolean {
  return kind === 'plugin' ? name === wanted : metadata?.capabilities.includes(wanted) === true;
}

/** An undescribed plugin counts as fitting: loading it gives a better error than a version mismatch would. */
function fits({ metadata }: DependencyNode, { version }: PluginDependency): boolean {
  return version === '*' || metadata === null || satisfies(metadata.version, version);
}

function describe({ kind, name, version }: PluginDependency): string {
  const what = kind === 'plugin' ? `plugin ${name}` : `capability ${name}`;
  return version === '*' ? what : `${what} ${version}`;
}
