import { isDeepStrictEqual } from 'node:util';
import type { BackworksConfig, EndpointConfig } from '../config/types.js';
import { changedPaths } from '../lifecycle/registry/value-changes.js';

/** Changes outside the plugins, by the keys of the file. */
export interface SettingsPlan {
  readonly endpoints: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly changed: readonly string[];
  };
  /** Keys that take effect at once. */
  readonly settings: readonly string[];
  /** Keys that take effect after a restart of the server. */
  readonly needsRestart: readonly string[];
}

/** Settings that take effect while the server runs: path in BackworksConfig → key of the file. */
const LIVE_KEYS: Readonly<Record<string, string>> = {
  name: 'name',
  version: 'version',
  description: 'description',
  'server.bodyLimitBytes': 'server.body_limit',
  'server.bodyTimeoutMs': 'server.body_timeout',
  'server.unmatched': 'server.unmatched',
  'server.trustProxy.addresses': 'server.trust_proxy.addresses',
  'server.trustProxy.header': 'server.trust_proxy.header',
  'server.rules.headers': 'server.headers',
  'server.rules.compression': 'server.compression',
  'server.rules.cache': 'server.cache',
  'server.rules.plainHttp': 'server.plain_http',
  'server.shutdown.delayMs': 'server.shutdown.delay',
  'server.shutdown.timeoutMs': 'server.shutdown.timeout',
  'server.reload.watch': 'server.reload.watch',
  'server.reload.intervalMs': 'server.reload.interval',
  'admin.token': 'admin.token',
  'admin.readToken': 'admin.read_token',
  'admin.requestMetrics': 'admin.request_metrics',
  'logging.level': 'logging.level',
  'logging.access.format': 'logging.access.format',
  'logging.access.file': 'logging.access.file',
  'logging.access.query': 'logging.access.query',
  'alerts.webhook': 'alerts.webhook',
  'alerts.headers': 'alerts.headers',
  'alerts.on': 'alerts.on',
  'alerts.minIntervalMs': 'alerts.min_interval',
  'alerts.timeoutMs': 'alerts.timeout',
  'alerts.retry.attempts': 'alerts.retry.attempts',
  'alerts.retry.delayMs': 'alerts.retry.delay',
  'autoDiscover.enabled': 'plugins.auto_discover.enabled',
  'autoDiscover.directories': 'plugins.auto_discover.directories',
};

/** The server's settings without the positions of their values in the file, which are no settings. */
function withoutPlaces(config: BackworksConfig): BackworksConfig {
  const text = JSON.stringify(config.server, (key, value: unknown) => (key === 'where' ? undefined : value));
  return { ...config, server: JSON.parse(text) as BackworksConfig['server'] };
}

/** Members that are planned separately or are no settings. */
const NOT_SETTINGS: ReadonlySet<string> = new Set(['endpoints', 'plugins', 'file']);
const COMPARED_WHOLE: ReadonlySet<string> = new Set([
  ...NOT_SETTINGS,
  'alerts.headers',
  'server.rules.headers',
  'server.rules.compression',
  'server.rules.cache',
]);

/** Plans the change between two configurations, apart from the plugins. */
export function planSettings(from: BackworksConfig, to: BackworksConfig): SettingsPlan {
  const paths = changedSettings(from, to);
  const isLive = (path: string): boolean => liveKey(path, to) !== null;
  return {
    endpoints: planEndpoints(from.endpoints, to.endpoints),
    settings: paths.flatMap((path) => liveKey(path, to) ?? []),
    needsRestart: paths.filter((path) => !isLive(path)).map(fileKey),
  };
}

/** The configuration after a reload: the next one, with the old values of all keys that need a restart. */
export function effectiveConfig(from: BackworksConfig, to: BackworksConfig): BackworksConfig {
  return changedSettings(from, to)
    .filter((path) => liveKey(path, to) === null)
    .reduce((config, path) => copyPath(config, from, path.split('.')), to);
}

function changedSettings(from: BackworksConfig, to: BackworksConfig): string[] {
  const paths = changedPaths(withoutPlaces(from), withoutPlaces(to), COMPARED_WHOLE);
  return paths.filter((path) => !NOT_SETTINGS.has(path));
}

/** The key of a path whose change takes effect while the server runs; null for other paths. */
function liveKey(path: string, { admin }: BackworksConfig): string | null {
  // The server generates a token, and prints it, only at start.
  if (path === 'admin.token' && admin.token === '') return null;
  return LIVE_KEYS[path] ?? null;
}

/** The key of the file for a path. Paths that LIVE_KEYS does not list are converted: underscores, no units. */
function fileKey(path: string): string {
  return (
    LIVE_KEYS[path] ??
    path.replace(/(?:Ms|Bytes)\b/g, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  );
}

function copyPath<T>(target: T, source: T, [key, ...rest]: readonly string[]): T {
  if (key === undefined) return source;
  const [a, b] = [target, source] as [Record<string, unknown>, Record<string, unknown>];
  return { ...target, [key]: copyPath(a[key], b[key], rest) };
}

function planEndpoints(
  from: readonly EndpointConfig[],
  to: readonly EndpointConfig[],
): SettingsPlan['endpoints'] {
  const before = new Map(from.map((endpoint) => [endpoint.name, endpoint]));
  const after = new Set(to.map(({ name }) => name));
  const known = to.filter(({ name }) => before.has(name));
  return {
    added: to.filter(({ name }) => !before.has(name)).map(({ name }) => name),
    removed: from.filter(({ name }) => !after.has(name)).map(({ name }) => name),
    changed: known
      .filter((endpoint) => !isDeepStrictEqual(endpoint, before.get(endpoint.name)))
      .map(({ name }) => name),
  };
}
