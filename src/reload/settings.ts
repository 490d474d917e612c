import { isDeepStrictEqual } from 'node:util';
import type { BackworksConfig, EndpointConfig } from '../config/types.js';
import { changedPaths } from '../lifecycle/registry/value-changes.js';

/** What changes outside the plugins, by the keys of the file. */
export interface SettingsPlan {
  readonly endpoints: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly changed: readonly string[];
  };
  /** In force at once. */
  readonly settings: readonly string[];
  /** In force after a restart of the server. */
  readonly needsRestart: readonly string[];
}

/** Settings that take effect while the server runs, by their place in a BackworksConfig. */
const LIVE: Readonly<Record<string, string>> = {
  name: 'name',
  version: 'version',
  description: 'description',
  'server.bodyLimitBytes': 'server.body_limit',
  'server.unmatched': 'server.unmatched',
  'server.shutdown.delayMs': 'server.shutdown.delay',
  'server.shutdown.timeoutMs': 'server.shutdown.timeout',
  'server.reload.watch': 'server.reload.watch',
  'server.reload.intervalMs': 'server.reload.interval',
  'admin.token': 'admin.token',
  'admin.readToken': 'admin.read_token',
  'logging.level': 'logging.level',
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

/** Planned by themselves, or no setting at all. */
const ELSEWHERE: ReadonlySet<string> = new Set(['endpoints', 'plugins', 'file']);
const WHOLE: ReadonlySet<string> = new Set([...ELSEWHERE, 'alerts.headers']);

/** What it takes to come from one configuration to another, apart from the plugins. */
export function planSettings(from: BackworksConfig, to: BackworksConfig): SettingsPlan {
  const places = changedPaths(from, to, WHOLE).filter((place) => !ELSEWHERE.has(place));
  const isLive = (place: string): boolean => liveKey(place, to) !== null;
  return {
    endpoints: planEndpoints(from.endpoints, to.endpoints),
    settings: places.flatMap((place) => liveKey(place, to) ?? []),
    needsRestart: places.filter((place) => !isLive(place)).map(fileKey),
  };
}

/** The next configuration with everything that needs a restart as it was: what is in force after a reload. */
export function inForce(from: BackworksConfig, to: BackworksConfig): BackworksConfig {
  const places = changedPaths(from, to, WHOLE).filter((place) => !ELSEWHERE.has(place));
  return places
    .filter((place) => liveKey(place, to) === null)
    .reduce((config, place) => copyPlace(config, from, place.split('.')), to);
}

/** Its key when a change takes effect while the server runs; else null. */
function liveKey(place: string, { admin }: BackworksConfig): string | null {
  // A token that is made up is made up at a start, and told only there.
  if (place === 'admin.token' && admin.token === '') return null;
  return LIVE[place] ?? null;
}

/** The key of the file for a place nobody thought of: words with underscores, without units. */
function fileKey(place: string): string {
  return (
    LIVE[place] ??
    place.replace(/(?:Ms|Bytes)\b/g, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  );
}

function copyPlace<T>(target: T, source: T, [key, ...rest]: readonly string[]): T {
  if (key === undefined) return source;
  const [a, b] = [target, source] as [Record<string, unknown>, Record<string, unknown>];
  return { ...target, [key]: copyPlace(a[key], b[key], rest) };
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
