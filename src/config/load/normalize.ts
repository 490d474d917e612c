import { resolve } from 'node:path';
import { unbracketed } from '../source/host.js';
import { below, type Pointer } from '../source/pointer.js';
import { hookNames, hookPointer, type RawHook } from '../schema/endpoint-hooks.js';
import { pluginEntries, sandboxOf } from '../schema/plugin-entries.js';
import type { RawConfig, RawEndpoint, RawPlugin } from '../schema/raw.js';
import type {
  AccessLogConfig,
  AlertsConfig,
  BackworksConfig,
  EndpointConfig,
  EndpointHook,
  EndpointTarget,
  FilesTarget,
  Permissions,
  PluginConfig,
  PluginPolicy,
  RequestBodyUse,
  ResourceLimits,
  SwapPolicy,
  WantedBodies,
  Written,
} from '../types.js';
import { normalizeProxy } from './normalize-proxy.js';
import { originOf } from '../source/url-origin.js';
import { AS_IT_IS } from '../source/written.js';
import { ifAny, normalizeRules } from './rules.js';
import { parseDuration, parsePercentage, parseSize } from '../source/units.js';
import { normalizeServer } from './server.js';

const RECYCLE_BYTES_MAX = 128 * 1024 ** 2;

export interface Origin {
  /** Absolute path of the file, or null. */
  readonly file: string | null;
  /** The directory that relative paths start at. */
  readonly directory: string;
  /** How the file writes the value at a pointer. */
  written(pointer: string): Written;
  /** The location of the value at a pointer, as `file:line:column`, or null without a file. */
  where(pointer: string): string | null;
}

/** The checked file in the form the rest of the program uses, deeply frozen. */
export function normalize(raw: RawConfig, origin: Origin): BackworksConfig {
  const { server, admin, logging } = raw;
  const autoDiscover = raw.plugins.auto_discover;
  const listed = new Set(Object.values(raw.endpoints).flatMap(hookNames));
  return deepFreeze<BackworksConfig>({
    name: raw.name,
    version: raw.version,
    description: raw.description,
    file: origin.file,
    server: normalizeServer(server, origin),
    admin: {
      enabled: admin.enabled,
      host: unbracketed(admin.host),
      port: admin.port,
      token: admin.token,
      readToken: admin.read_token,
      requestMetrics: admin.request_metrics,
    },
    logging: {
      level: logging.level,
      format: logging.format,
      access: normalizeAccessLog(logging.access, origin.directory),
    },
    tracing: raw.tracing,
    alerts: normalizeAlerts(raw.alerts),
    endpoints: Object.entries(raw.endpoints).map(([name, endpoint]) =>
      normalizeEndpoint(name, endpoint, origin),
    ),
    plugins: pluginEntries(raw.plugins).map(([name, plugin]) => ({
      ...normalizePlugin(name, plugin, origin),
      hookScope: plugin.hooks ?? (listed.has(name) ? 'endpoints' : 'all'),
    })),
    autoDiscover: {
      enabled: autoDiscover.enabled,
      directories: autoDiscover.directories.map((directory) => resolve(origin.directory, directory)),
    },
  });
}

function normalizeAccessLog(
  { format, file, query }: RawConfig['logging']['access'],
  directory: string,
): AccessLogConfig {
  return { format, file: file === 'stdout' ? file : resolve(directory, file), query };
}

function normalizeAlerts({
  webhook,
  headers,
  on,
  min_interval,
  timeout,
  retry,
}: RawConfig['alerts']): AlertsConfig {
  return {
    webhook,
    headers,
    on,
    minIntervalMs: parseDuration(min_interval),
    timeoutMs: parseDuration(timeout),
    retry: { attempts: retry.attempts, delayMs: parseDuration(retry.delay) },
  };
}

function normalizeEndpoint(name: string, raw: RawEndpoint, origin: Origin): EndpointConfig {
  const written = origin.written(`${below('/endpoints', name)}/response/body`);
  return {
    name,
    path: raw.path,
    methods: raw.methods ?? (raw.files === undefined ? [] : ['GET', 'HEAD']),
    bodyLimitBytes: raw.body_limit === undefined ? null : parseSize(raw.body_limit),
    target: normalizeTarget(raw, written, origin.directory),
    hooks: (raw.hooks ?? []).map((hook, index) => normalizeHook(hook, origin, hookPointer(name, index))),
    ...ifAny(normalizeRules(raw)),
  };
}

function normalizeHook(raw: RawHook, origin: Origin, pointer: Pointer): EndpointHook {
  if (typeof raw === 'string') return { plugin: raw, config: null };
  const config = raw.config;
  return {
    plugin: raw.plugin,
    config: config ?? null,
    ...ifNotPlain(origin.written(below(pointer, 'config'))),
  };
}

function normalizeTarget(
  { plugin, response, proxy, files, redirect }: RawEndpoint,
  written: Written,
  directory: string,
): EndpointTarget {
  if (plugin !== undefined) return { kind: 'plugin', plugin };
  if (response !== undefined) {
    const { status, headers, body } = response;
    return { kind: 'static', response: { status, headers, body, ...ifNotPlain(written) } };
  }
  if (proxy !== undefined) {
    return { kind: 'proxy', ...normalizeProxy(proxy, directory) };
  }
  if (redirect !== undefined) {
    const { to, status, query } = redirect;
    return { kind: 'redirect', redirect: { to, status, query } };
  }
  return files === undefined
    ? { kind: 'any-plugin' }
    : { kind: 'files', files: normalizeFiles(files, directory) };
}

function normalizeFiles(
  { cache_control, fallback, ...files }: NonNullable<RawEndpoint['files']>,
  directory: string,
): FilesTarget {
  return {
    ...files,
    directory: resolve(directory, files.directory),
    fallback: fallback ?? null,
    cacheControl: cache_control ?? null,
  };
}

export function normalizePlugin(name: string, raw: RawPlugin, origin: Origin): PluginConfig {
  return {
    name,
    type: raw.type ?? 'external',
    path: raw.path === undefined ? null : resolve(origin.directory, raw.path),
    enabled: raw.enabled,
    config: raw.config,
    ...ifNotPlain(origin.written(`${below('/plugins', name)}/config`)),
    where: origin.where(below('/plugins', name)),
    ...normalizePolicy(raw, origin.directory),
  };
}

/** How the file writes a value, if JSON.stringify() would write it differently. */
function ifNotPlain(written: Written): { readonly written: Written } | undefined {
  return written === AS_IT_IS ? undefined : { written };
}

/** @param directory the directory that paths of permissions are relative to */
export function normalizePolicy(raw: RawPlugin, directory: string): PluginPolicy {
  const { timeouts, circuit_breaker: breaker, retry, recycle, restart, health, quarantine } = raw;
  const limits = normalizeLimits(raw.limits);
  return {
    critical: raw.critical ?? null,
    onFailure: raw.on_failure ?? null,
    hookScope: raw.hooks ?? 'all',
    priority: raw.priority ?? null,
    body: wantedBodies(raw.body),
    load: raw.load,
    idleAfterMs: parseDuration(raw.idle_after),
    isolation: raw.isolation,
    trusted: raw.trusted,
    sandbox: sandboxOf(raw),
    permissions: normalizePermissions(raw.permissions, directory),
    instances: raw.instances,
    timeouts: {
      callMs: timeouts.call === undefined ? null : parseDuration(timeouts.call),
      initializeMs: parseDuration(timeouts.initialize),
      shutdownMs: parseDuration(timeouts.shutdown),
    },
    circuitBreaker: {
      failures: breaker.failures,
      windowMs: parseDuration(breaker.window),
      resetAfterMs: parseDuration(breaker.reset_after),
    },
    retry: { attempts: retry.attempts, on: retry.on },
    limits,
    recycle: {
      calls: recycle.calls,
      memoryBytes:
        recycle.memory === undefined ? recycleBytes(limits.memoryBytes) : parseSize(recycle.memory),
    },
    restart: { delayMs: parseDuration(restart.delay), maxDelayMs: parseDuration(restart.max_delay) },
    healthCheck: { intervalMs: parseDuration(health.interval), timeoutMs: parseDuration(health.timeout) },
    quarantine: { failures: quarantine.failures, windowMs: parseDuration(quarantine.window) },
    swap: normalizeSwap(raw.swap),
  };
}

/** A word stands for both directions. */
function wantedBodies(raw: RawPlugin['body']): WantedBodies {
  if (typeof raw === 'string') {
    // The schema admits no other words.
    const both = raw as RequestBodyUse;
    return { request: both, response: both };
  }
  return { request: raw?.request ?? null, response: raw?.response ?? null };
}

function normalizeSwap({ watch, canary, probation, keep }: RawPlugin['swap']): SwapPolicy {
  return {
    watch,
    canary: { percent: parsePercentage(canary.percent), durationMs: parseDuration(canary.duration) },
    probation: {
      durationMs: parseDuration(probation.duration),
      maxErrorPercent: parsePercentage(probation.max_error_rate),
      maxLatencyPercent: parsePercentage(probation.max_latency),
      maxCrashes: probation.max_crashes,
      minCalls: probation.min_calls,
    },
    keep,
  };
}

function normalizeLimits(raw: RawPlugin['limits']): ResourceLimits {
  return {
    memoryBytes: parseSize(raw.memory),
    openFiles: raw.open_files,
    threads: raw.threads,
    fileSizeBytes: parseSize(raw.file_size),
    callCpuMs: parseDuration(raw.cpu_time),
    idleCpuPercent: parsePercentage(raw.idle_cpu),
    concurrency: raw.concurrency,
    queue: raw.queue,
    replyBytes: parseSize(raw.reply),
    parsedReplyBytes: parseSize(raw.parsed_reply),
    logBytesPerSecond: parseSize(raw.log_rate),
    kvBytes: parseSize(raw.kv),
  };
}

/** A growing process should be replaced between two calls, before the limit kills it during one. */
function recycleBytes(memoryBytes: number): number {
  return memoryBytes === 0 ? RECYCLE_BYTES_MAX : Math.min(RECYCLE_BYTES_MAX, Math.floor(memoryBytes / 2));
}

function normalizePermissions({ filesystem, network, env }: Permissions, directory: string): Permissions {
  const absolute = (path: string): string => resolve(directory, path);
  return {
    filesystem: { read: filesystem.read.map(absolute), write: filesystem.write.map(absolute) },
    network: {
      connect: network.connect,
      listen: network.listen,
      udp: network.udp,
      fetch: network.fetch.map(originOf),
    },
    env,
  };
}

/** Freezes a value of plain objects and lists. The recursion is safe because the reader limits the depth. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) deepFreeze(part);
    Object.freeze(value);
  }
  return value;
}
