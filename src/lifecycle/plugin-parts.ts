import { defaultPluginPolicy, defaultPluginUsers } from '../config/load/load.js';
import type { PluginPolicy } from '../config/types.js';
import { DeadlineTimer } from '../execution/deadline.js';
import type { PluginMetrics } from '../metrics/plugin-metrics.js';
import type { Log } from '../log.js';
import { type LibraryStore, openLibraryStore } from '../native/library/library-store.js';
import { createLibraryReader, type LibraryReader } from '../plugins/library-reader.js';
import { PluginLoader } from '../plugins/loader.js';
import { type PluginUsers, pluginUsers } from '../plugins/plugin-users.js';
import { Quarantine } from './records/quarantine.js';
import { VersionKeeper } from './records/version-keeper.js';
import type { SharedVersions } from './records/version-history.js';
import { VersionRecords } from './records/version-records.js';

export interface PluginParts {
  readonly defaults: PluginPolicy;
  readonly reader: LibraryReader;
  readonly loader: PluginLoader;
  readonly quarantine: () => Promise<Quarantine>;
  readonly keeper: VersionKeeper;
  /** See SharedVersions. */
  readonly agree: (what: string) => Promise<void>;
}

export interface PluginPartsOptions {
  readonly metrics: PluginMetrics;
  readonly log: Log;
  /** Where the variables come from that `permissions.env` grants. */
  readonly environment: NodeJS.ProcessEnv;
  /** Default: those of a configuration that says nothing of them. */
  readonly users?: PluginUsers | undefined;
  /** Default: versions that no configuration file names and no other process knows. */
  readonly shared?: SharedVersions | undefined;
}

/** What reads and loads libraries. Directories are opened when they are first needed. */
export function createPluginParts({
  metrics,
  log,
  environment,
  users = pluginUsers(defaultPluginUsers()),
  shared = unshared(null),
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
  const loader = new PluginLoader({ log, metrics, timer, store: openStore, quarantine, users, environment });
  return { defaults, reader, loader, quarantine, keeper, agree };
}

/** Versions of a server of which one process answers all requests. */
export function unshared(configFile: string | null): SharedVersions {
  let records: Promise<VersionRecords> | null = null;
  return {
    history: () => (records ??= VersionRecords.open(configFile)),
    serving: new Map(),
    agree: () => Promise.resolve(),
  };
}
