import { defaultPluginPolicy } from '../config/load/load.js';
import type { PluginPolicy } from '../config/types.js';
import { DeadlineTimer } from '../execution/deadline.js';
import type { PluginMetrics } from '../metrics/plugin-metrics.js';
import type { Log } from '../log.js';
import { type LibraryStore, openLibraryStore } from '../native/library/library-store.js';
import { createLibraryReader, type LibraryReader } from '../plugins/library-reader.js';
import { PluginLoader } from '../plugins/loader.js';
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

/** What reads and loads libraries. Directories are opened when they are first needed. */
export function createPluginParts(
  metrics: PluginMetrics,
  log: Log,
  environment: NodeJS.ProcessEnv,
  configFile: string | null = null,
  shared: SharedVersions = unshared(configFile),
): PluginParts {
  const defaults = defaultPluginPolicy();
  const timer = new DeadlineTimer();
  let store: Promise<LibraryStore> | null = null;
  let quarantined: Promise<Quarantine> | null = null;
  const openStore = (): Promise<LibraryStore> => (store ??= openLibraryStore());
  const quarantine = (): Promise<Quarantine> => (quarantined ??= Quarantine.open());
  const { history, serving, agree } = shared;
  const keeper = new VersionKeeper({ log, store: openStore, history, serving });
  const reader = createLibraryReader(openStore, defaults);
  const loader = new PluginLoader({ log, metrics, timer, store: openStore, quarantine, environment });
  return { defaults, reader, loader, quarantine, keeper, agree };
}

/** One process answers all requests. */
function unshared(configFile: string | null): SharedVersions {
  let records: Promise<VersionRecords> | null = null;
  return {
    history: () => (records ??= VersionRecords.open(configFile)),
    serving: new Map(),
    agree: () => Promise.resolve(),
  };
}
