import { basename, resolve } from 'node:path';
import { partsOf, pluginOf, type PluginSource } from '../authoring/plugin-source.js';
import { parseConfig } from '../config/load/load.js';
import type { Isolation, JsonObject } from '../config/types.js';
import { PluginMetrics } from '../metrics/plugin-metrics.js';
import { type FakeFetch, FakeResponses } from './fake-responses.js';
import { type FakeOperation, Recorded } from './recorded.js';
import { RunningPlugin } from './running-plugin.js';
import type { TestPlugin } from './test-plugin.js';

/** How to start a plugin. */
export interface StartOptions {
  /** Path of the library, relative to the working directory. */
  readonly library: string;
  /** The plugin's own configuration, as in `plugins.NAME.config`. */
  readonly config?: JsonObject;
  /** Default: `process`. `in-process` loads the library into the test's process, for debuggers and coverage. */
  readonly isolation?: Isolation;
  /** As in `plugins.NAME.permissions`; nothing by default. */
  readonly permissions?: JsonObject;
  /** Further keys of `plugins.NAME`, as in backworks.yaml: `{ timeouts: { call: '50ms' } }`. */
  readonly settings?: JsonObject;
  /** Variables that `permissions.env` may grant. Default: none. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Answers in place of other plugins, by operation. */
  readonly operations?: Readonly<Record<string, FakeOperation>>;
  /**
   * Answers in place of the servers that the plugin asks with http_fetch(), by URL with its query. Any other URL fails.
   * `permissions.network.fetch` has to grant the origins. Without it, requests go to the network.
   */
  readonly responses?: Readonly<Record<string, FakeFetch>>;
}

/** A test wants to see each failure, and not the protections that follow it. */
const DEFAULTS: JsonObject = {
  instances: 1,
  circuit_breaker: { failures: 1000 },
  quarantine: { failures: 0 },
  restart: { delay: '1ms', max_delay: '1ms' },
  timeouts: { call: '10s', initialize: '30s' },
};

/**
 * Starts a plugin as a server would, without a server.
 * @throws ConfigError when a setting is wrong; a BackworksError when the plugin does not start
 *
 * @example
 * ```ts
 * import { requestDocument, startPlugin } from 'backworks/testing';
 *
 * const plugin = await startPlugin({ library: './plugins/libweather_plugin.so' });
 * const request = requestDocument({ url: '/weather/Oslo', route: '/weather/{city}' });
 * const answer = await plugin.processEndpoint(request);
 * console.log(answer?.status); // 200
 * await plugin.close();
 * ```
 */
export async function startPlugin(options: StartOptions): Promise<TestPlugin> {
  const { library, config, isolation = 'process', permissions, environment = {} } = options;
  const name = nameOf(library);
  const settings = {
    ...DEFAULTS,
    isolation,
    trusted: isolation === 'in-process',
    ...(config === undefined ? {} : { config }),
    ...(permissions === undefined ? {} : { permissions }),
    ...options.settings,
    path: resolve(library),
  };
  // JSON is YAML, so the settings are checked like those of a file.
  const text = JSON.stringify({ plugins: { [name]: settings } });
  const { config: whole } = parseConfig(text, { directory: process.cwd() });
  const recorded = new Recorded(options.operations ?? {});
  const responses = new FakeResponses(options.responses ?? {});
  const metrics = new PluginMetrics();
  const source: PluginSource = {
    which: { kind: 'configured', config: whole, name },
    block: undefined,
    environment,
  };
  const parts = partsOf(source, {
    log: recorded.plugin.collector,
    metrics,
    http: options.responses === undefined ? undefined : responses.fetch,
  });
  try {
    const { entry } = await pluginOf(source, parts);
    const loaded = await parts.loader.load(entry, recorded.events);
    return new RunningPlugin({ loaded, recorded, responses, metrics, keyValues: parts.keyValues.of(name) });
  } catch (thrown) {
    throw await recorded.plugin.detailed(thrown);
  }
}

/** A name for the plugin of a library: "weather" for "build/libweather.so". */
function nameOf(library: string): string {
  const stem = basename(library).replace(/^lib/, '').replace(/\..*$/, '');
  return (
    stem
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'plugin'
  );
}
