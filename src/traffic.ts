import { AccessLog, checkAccessLog } from './access-log/access-log.js';
import { defaultPluginPolicy } from './config/load/load.js';
import type { BackworksConfig, ResourceLimits } from './config/types.js';
import { countedEndpoints, HttpMetrics } from './metrics/http-metrics.js';
import { PluginMetrics } from './metrics/plugin-metrics.js';
import type { Log } from './log.js';
import { LogBudget } from './log-budget.js';
import { loadJsonCheck } from './native/json-check.js';
import { PluginOrchestrator } from './pipeline/orchestrator.js';
import { addProxyMetrics } from './proxy/proxy-metrics.js';
import { Upstreams } from './proxy/upstreams.js';
import type { RequestSettings } from './pipeline/plugin-set.js';
import { offersUnmatched } from './pipeline/unmatched.js';
import { usersOf } from './plugins/plugin-users.js';
import { createPluginParts, unshared } from './lifecycle/plugin-parts.js';
import { PluginRegistry, type PluginVerdict } from './lifecycle/registry/registry.js';
import type { PluginStatus, StateChange } from './lifecycle/entry/status.js';
import type { RejectedLibrary } from './plugins/discovery.js';
import type { SharedVersions } from './lifecycle/records/version-history.js';
import { PluginControl } from './reload/plugin-control.js';
import { ServedCertificates } from './reload/served-certificates.js';
import { ReloadPreparation } from './reload/preparation.js';
import type { PreparedReload, ReloadPlan } from './reload/prepared-reload.js';
import type { AdminControl } from './admin/admin.js';
import { createApp, prepareRoutes } from './http/app.js';
import { listen, type Listener } from './http/listen.js';
import type { RequestObserver } from './http/observed-request.js';
import { allOf, countRequests, logRequests, traceRequests } from './http/observers.js';
import { Counters } from './rules/counters.js';
import { prepareRules } from './rules/rule-book.js';
import { TrustedProxies } from './http/trusted-proxies.js';
import { Tracer } from './tracing/tracer.js';
import { hostVersion } from './plugins/host-version.js';
import type { WorkerStatus } from './admin/worker-document.js';

export type { WorkerStatus };

/** The operator's commands for plugins. */
export type TrafficControl = Omit<AdminControl, 'reload'>;

/** The part of the server that answers requests: this process, or the workers. */
export interface Traffic {
  /**
   * Discovers and loads plugins, then listens.
   * @throws BackworksError when a critical plugin fails or the address cannot be used. The caller calls stop() then.
   */
  start(): Promise<{ readonly url: string }>;
  /** Drains, then shuts every plugin down within its shutdown timeout. Never rejects. */
  stop(): Promise<void>;
  /** With workers: updates the results of plugins(), rejected() and metrics. Never rejects. */
  refresh(): Promise<void>;
  /** Whether requests are being answered. */
  readonly serving: boolean;
  /** @param worker the number of one worker; default: all workers, merged */
  plugins(worker?: number): PluginStatus[];
  /** The workers; empty if this process answers requests itself. */
  workers(): readonly WorkerStatus[];
  rejected(): readonly RejectedLibrary[];
  readonly metrics: Pick<PluginMetrics, 'registry' | 'text'>;
  /** All methods reject with a BackworksError. */
  readonly control: TrafficControl;
  /** Sets the only listener, which is called for each state that a plugin enters. */
  onState(listener: (change: StateChange) => void): void;
  /** Plans a reload. @throws BackworksError when the configuration cannot work */
  plan(next: BackworksConfig): Promise<ReloadPlan>;
  /** Prepares a configuration. @throws BackworksError when that fails; nothing has changed then */
  prepare(next: BackworksConfig): Promise<PreparedReload>;
}

export interface LocalTraffic extends Traffic {
  readonly metrics: PluginMetrics;
  /** Applies changes that happened in another worker. Rejects with a BackworksError. */
  readonly follow: Pick<PluginRegistry, 'follow' | 'stopIfQuarantined'>;
  /**
   * Discovers and describes plugins without initializing them; no port is opened.
   * @returns the plugins that would not start
   */
  inspect(): Promise<PluginVerdict[]>;
}

export interface TrafficOptions {
  readonly log: Log;
  /** Values of the variables that `permissions.env` grants to plugins. */
  readonly environment: NodeJS.ProcessEnv;
  /** Absent without workers. */
  readonly shared?: SharedVersions;
}

/** Creates the traffic of a configuration, answered by this process. */
export function createTraffic(config: BackworksConfig, options: TrafficOptions): LocalTraffic {
  return new ServedTraffic(config, options);
}

/** What a reload replaces at once. */
interface Applied {
  readonly routes: ReturnType<typeof prepareRoutes>;
  readonly proxies: TrustedProxies | null;
  readonly current: BackworksConfig;
}

class ServedTraffic implements LocalTraffic {
  readonly metrics = new PluginMetrics();
  readonly control: TrafficControl;
  readonly follow: PluginRegistry;
  private readonly registry: PluginRegistry;
  private readonly orchestrator: PluginOrchestrator;
  private readonly preparation: ReloadPreparation;
  private readonly log: Log;
  /** The running configuration. */
  private current: BackworksConfig;
  private routes: ReturnType<typeof prepareRoutes>;
  private proxies: TrustedProxies | null;
  private listener: Listener | null = null;
  private certificates: ServedCertificates | null = null;
  private stateListener: (change: StateChange) => void = () => undefined;
  private readonly httpMetrics: HttpMetrics;
  private readonly accessLog: AccessLog;
  private readonly counters: Counters;
  /** Null while requests are not traced. */
  private tracer: Tracer | null = null;
  /** Null while nothing observes requests. */
  private observer: RequestObserver | null = null;

  constructor(
    private readonly config: BackworksConfig,
    { log: unlimited, environment, shared }: TrafficOptions,
  ) {
    this.current = config;
    const log = new LogBudget(unlimited, (plugin) => this.limits(plugin).logBytesPerSecond);
    this.log = log;
    this.httpMetrics = new HttpMetrics(this.metrics.registry);
    this.accessLog = new AccessLog(log, this.metrics.registry);
    const upstreams = measuredUpstreams(log, this.metrics);
    const orchestrator = new PluginOrchestrator({ ...requestSettings(config), log, upstreams });
    const parts = createPluginParts({
      metrics: this.metrics,
      log,
      environment,
      limits: (plugin) => this.limits(plugin),
      users: usersOf(config),
      shared: shared ?? unshared(config.file),
    });
    const registry: PluginRegistry = new PluginRegistry({
      log,
      onState: (change) => this.stateListener(change),
      ...parts,
      drainTimeoutMs: () => this.current.server.shutdown.timeoutMs,
      onChange: () =>
        orchestrator.setPlugins(registry.inService(), {
          canaries: registry.canaries(),
          ...requestSettings(this.current),
        }),
    });
    const current = (): BackworksConfig => this.current;
    this.counters = new Counters(config.server.redis, log);
    this.orchestrator = orchestrator;
    this.registry = this.follow = registry;
    this.routes = prepareRoutes(config.endpoints, orchestrator, prepareRules(config, this.counters));
    this.proxies = trustedProxies(config);
    this.control = controlOf(registry, new PluginControl({ registry, current, agree: parts.agree }));
    this.preparation = new ReloadPreparation({
      registry,
      current,
      prepare: (next) => {
        const routes = prepareRoutes(next.endpoints, orchestrator, prepareRules(next, this.counters));
        checkAccessLog(next.logging.access);
        const proxies = trustedProxies(next);
        return () => this.apply({ routes, proxies, current: next });
      },
    });
    this.observe();
  }

  async start(): Promise<{ url: string }> {
    const { config, registry, orchestrator, log } = this;
    loadJsonCheck();
    const { tls, reload } = config.server;
    if (tls !== null) this.certificates = await ServedCertificates.open(tls, reload.intervalMs, log);
    this.accessLog.open(config.logging.access);
    await this.counters.start();
    const { enabled, incoming } = config.tracing;
    if (enabled) this.tracer = new Tracer(incoming, hostVersion(), log);
    this.observe();
    await registry.discover(config);
    await registry.loadAll();
    void orchestrator.setPlugins(registry.inService());
    orchestrator.serve(config.endpoints);
    const app = createApp({
      routes: () => this.routes,
      proxies: () => this.proxies,
      orchestrator,
      log,
      observer: () => this.observer,
    });
    this.listener = await listen(app, {
      ...config.server,
      log,
      tls: this.certificates?.certificates ?? null,
    });
    return { url: this.listener.url };
  }

  async stop(): Promise<void> {
    this.certificates?.stop();
    await this.listener?.close(this.current.server.shutdown);
    this.counters.close();
    this.orchestrator.serve([]);
    await Promise.all([this.registry.close(), this.accessLog.close()]);
  }

  async inspect(): Promise<PluginVerdict[]> {
    await this.registry.discover(this.config);
    await this.registry.describeAll();
    return this.registry.verdicts();
  }

  async refresh(): Promise<void> {}

  get serving(): boolean {
    return this.listener !== null;
  }

  plugins(): PluginStatus[] {
    return this.registry.status();
  }

  workers(): readonly WorkerStatus[] {
    return [];
  }

  rejected(): readonly RejectedLibrary[] {
    return this.registry.rejected();
  }

  onState(listener: (change: StateChange) => void): void {
    this.stateListener = listener;
  }

  plan(next: BackworksConfig): Promise<ReloadPlan> {
    return this.preparation.plan(next);
  }

  prepare(next: BackworksConfig): Promise<PreparedReload> {
    return this.preparation.prepare(next);
  }

  /** Switches to what was prepared from a configuration. @returns switches back */
  private apply(prepared: Applied): () => void {
    const former = { routes: this.routes, proxies: this.proxies, current: this.current };
    this.routes = prepared.routes;
    this.proxies = prepared.proxies;
    this.current = prepared.current;
    this.reconfigure();
    return () => void this.apply(former);
  }

  /** Applies what the running configuration says about observing requests. */
  private reconfigure(): void {
    this.accessLog.configure(this.current.logging.access);
    this.orchestrator.serve(this.current.endpoints);
    this.observe();
    void this.certificates?.reload();
  }

  /** Chooses what happens with each request. */
  private observe(): void {
    const counted = countedEndpoints(this.current);
    this.httpMetrics.configure(counted);
    const observers: RequestObserver[] = [];
    if (this.tracer !== null) observers.push(traceRequests(this.tracer));
    if (counted.size > 0) observers.push(countRequests(this.httpMetrics));
    if (this.accessLog.isOpen) observers.push(logRequests(this.accessLog));
    this.observer = allOf(observers);
  }

  private limits(name: string): ResourceLimits {
    return (this.current.plugins.find((plugin) => plugin.name === name) ?? defaultPluginPolicy()).limits;
  }
}

function trustedProxies({ server: { trustProxy } }: BackworksConfig): TrustedProxies | null {
  return trustProxy.addresses.length === 0 ? null : new TrustedProxies(trustProxy);
}

function measuredUpstreams(log: Log, { registry }: PluginMetrics): Upstreams {
  const upstreams = new Upstreams(log);
  addProxyMetrics(registry, () => upstreams.list());
  return upstreams;
}

function requestSettings(config: BackworksConfig): RequestSettings {
  const { bodyLimitBytes, bodyTimeoutMs } = config.server;
  return { bodyLimitBytes, bodyTimeoutMs, offersUnmatched: offersUnmatched(config) };
}

function controlOf(registry: PluginRegistry, control: PluginControl): TrafficControl {
  return {
    restart: (name) => registry.restart(name),
    release: (name) => registry.release(name),
    load: (which) => control.load(which),
    enable: (name) => control.enable(name),
    disable: (name, wish) => control.stop(name, 'disabled by an operator', wish),
    unload: (name, wish) => control.stop(name, 'unloaded by an operator', wish),
    swap: (name, by) => registry.swap(name, by),
    rollBack: (name, by, to) => registry.rollBack(name, by, to),
    history: (name) => registry.history(name),
  };
}
