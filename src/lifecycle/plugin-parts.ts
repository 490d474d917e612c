import { defaultPluginPolicy, defaultPluginUsers } from '../config/load/load.js';
import type { PluginPolicy, ResourceLimits } from '../config/types.js';
import { DeadlineTimer } from '../execution/deadline.js';
import type { PluginMetrics } from '../metrics/plugin-metrics.js';
import type { Log } from '../log.js';
import { type LibraryStore, openLibraryStore } from '../native/library/library-store.js';
import { createLibraryReader, type LibraryReader } from '../plugins/library-reader.js';
import { PluginLoader } from '../plugins/loader.js';
import { type PluginUsers, pluginUsers } from '../plugins/plugin-users.js';
import { KeyValueStore } from '../services/key-value-store.js';
import { type HttpFetch, PluginFetches } from '../services/plugin-fetch.js';
import { Quarantine } from './records/quarantine.js';
import { VersionKeeper } from './records/version-keeper.js';
import type { SharedVersions } from './records/version-history.js';
import { VersionRecords } from './records/version-records.js';

export interface PluginParts {
  readonly defaults: PluginPolicy;
  readonly reader: LibraryReader;
  readonly loader: PluginLoader;
  readonly keyValues: KeyValueStore;
  readonly quarantine: () => Promise<Quarantine>;
  readonly keeper: VersionKeeper;
  /** See SharedVersions. */
  readonly agree: (what: string) => Promise<void>;
}

export interface PluginPartsOptions {
  readonly metrics: PluginMetrics;
  readonly log: Log;
  /** Values of the variables that `permissions.env` grants to plugins. */
  readonly environment: NodeJS.ProcessEnv;
  /** The limits of a plugin at this moment; default: those of a plugin without `limits`. */
  readonly limits?: ((plugin: string) => ResourceLimits) | undefined;
  /** Default: the users of a configuration without `users` settings. */
  readonly users?: PluginUsers | undefined;
  /** Default: versions that are not tied to a configuration file and not shared with other processes. */
  readonly shared?: SharedVersions | undefined;
  /** Sends the HTTP requests of plugins. Default: the global fetch(). */
  readonly http?: HttpFetch | undefined;
}

/** Creates the objects that read and load libraries. Directories are opened on first use. */
export function createPluginParts({
  metrics,
  log,
  environment,
  limits,
  users = pluginUsers(defaultPluginUsers()),
  shared = unshared(null),
  http,
}: PluginPartsOptions): PluginParts {
  const defaults = defaultPluginPolicy();
  const timer = new DeadlineTimer();
  let store: Promise<LibraryStore> | null = null;
  let quarantined: Promise<Quarantine> | null = null;
  const openStore = (): Promise<LibraryStore> => (store ??= openLibraryStore());
  const quarantine = (): Promise<Quarantine> => (quarantined ??= Quarantine.open());
  const { history, serving, agree } = shared;
  const keeper = new VersionKeeper({ log, store: openStore, history, serving });
  const reader = createLibraryReader(openStore, defaults, users);
  const keyValues = new KeyValueStore({
    log,
    metrics: metrics.registry,
    bytesMax: (plugin) => (limits?.(plugin) ?? defaults.limits).kvBytes,
  });
  const loader = new PluginLoader({
    log,
    metrics,
    timer,
    store: openStore,
    quarantine,
    users,
    environment,
    keyValues,
    fetches: new PluginFetches(metrics.registry, http),
  });
  return { defaults, reader, loader, keyValues, quarantine, keeper, agree };
}

/** The versions of a server without workers. */
export function unshared(configFile: string | null): SharedVersions {
  let records: Promise<VersionRecords> | null = null;
  return {
    history: () => (records ??= VersionRecords.open(configFile)),
    serving: new Map(),
    agree: () => Promise.resolve(),
  };
}
