import { basename } from 'node:path';
import { PluginExecutor, type CircuitStateName } from '../execution/executor.js';
import type { DeadlineTimer } from '../execution/deadline.js';
import type { PluginMetrics } from '../execution/metrics.js';
import { BackworksError, PluginFailure } from '../errors.js';
import type { Log } from '../log.js';
import { InProcessPlugin } from '../native/in-process.js';
import { IsolatedPlugin } from '../native/isolated.js';
import { checkLibrary, readLibraryFacts } from '../native/library-facts/index.js';
import type { LibraryStore, StoredLibrary } from '../native/library-store.js';
import type { NativePlugin, NativePluginOptions, PluginLogLine } from '../native/native-plugin.js';
import type { Refusal } from '../native/refusal.js';
import { LoadedPlugin } from './loaded-plugin.js';
import { fittingConfig } from './fitting-config.js';
import { readMetadata } from './metadata.js';
import { adjustableSettings } from './native-settings.js';
import { type PluginEntry, resolvePolicy } from './plugin-entry.js';
import { withFunction } from './post-mortem.js';
import type { Quarantine } from './quarantine.js';
import { sandboxOf } from './sandbox-of.js';

/** What is told of a plugin while it is loaded and while it runs. */
export interface PluginEvents {
  /** Which library it is: SHA-256 of its bytes, in hexadecimal. */
  identified(digest: string): void;
  /**
   * A process failed.
   * @param located the same with the function it happened in, a little later; never rejects
   */
  failed(failure: PluginFailure, located: Promise<PluginFailure>): void;
  recovered(): void;
  /** A process answered what nobody can use, and lives on. */
  answeredBadly(failure: PluginFailure): void;
  /** The sandbox refused it something. */
  refused(refusal: Refusal): void;
  circuit(state: CircuitStateName): void;
}

export interface PluginLoaderOptions {
  readonly log: Log;
  readonly metrics: PluginMetrics;
  readonly timer: DeadlineTimer;
  /** Opened when the first library is loaded. */
  readonly store: () => Promise<LibraryStore>;
  readonly quarantine: () => Promise<Quarantine>;
  /** Where variables that `permissions.env` names come from. */
  readonly environment: NodeJS.ProcessEnv;
}

/** Turns an entry into a running plugin. */
export class PluginLoader {
  constructor(private readonly options: PluginLoaderOptions) {}

  /**
   * Checks the file, copies it to the store and asks whether it may be started.
   * @throws BackworksError BW_LIBRARY_*, BW_PLUGIN_UNSUPPORTED or BW_PLUGIN_QUARANTINED
   */
  async admit(entry: PluginEntry, { identified }: Pick<PluginEvents, 'identified'>): Promise<StoredLibrary> {
    const { name, config } = entry;
    if (config.path === null) throw unsupported(entry);
    checkLibrary(config.path, await readLibraryFacts(config.path));
    const stored = await (await this.options.store()).add(config.path);
    identified(stored.digest);
    await (await this.options.quarantine()).check(stored.digest, name);
    return stored;
  }

  /**
   * Admits a library, loads and initializes it, and puts the executor around it.
   * @throws BackworksError saying what is wrong and what to do; nothing is left running.
   */
  async load(entry: PluginEntry, events: PluginEvents): Promise<LoadedPlugin> {
    const { name, config } = entry;
    const stored = await this.admit(entry, events);
    const native = await this.open(entry, stored, events);
    try {
      const metadata = readMetadata(native.description, 'load');
      const policy = resolvePolicy(config, metadata);
      const executor = new PluginExecutor({
        plugin: name,
        settings: policy,
        timer: this.options.timer,
        metrics: this.options.metrics,
        onCircuitChange: (state) => events.circuit(state),
        onFailure: (error) => {
          if (error instanceof PluginFailure && error.outcome === 'bad_response') events.answeredBadly(error);
        },
      });
      return new LoadedPlugin({ name, digest: stored.digest, metadata, policy }, native, executor);
    } catch (error) {
      await native.close();
      throw error;
    }
  }

  private async open(entry: PluginEntry, stored: StoredLibrary, events: PluginEvents): Promise<NativePlugin> {
    const { name, config } = entry;
    const { metrics } = this.options;
    const inProcess = config.isolation === 'in-process';
    const store = await this.options.store();
    const library = inProcess ? await store.privateCopy(stored, name) : stored.path;
    const original = config.path ?? library;
    const locate = (failure: PluginFailure): Promise<PluginFailure> =>
      withFunction(failure, library, original);
    const options: NativePluginOptions = {
      name,
      libraryPath: library,
      libraryName: basename(original),
      configJson: JSON.stringify(config.config),
      prepareConfig: async (description) => {
        const { configSchema } = readMetadata(description, 'load');
        return JSON.stringify(await fittingConfig(name, configSchema, config.config));
      },
      sandbox: sandboxOf(config, stored),
      environment: this.environmentOf(entry),
      instances: config.instances,
      replyBytesMax: config.limits.replyBytes,
      ...adjustableSettings(config),
      events: {
        log: (line) => this.log(name, line),
        metric: (counter, delta) => metrics.customCounter(name, counter, delta),
        failed: (failure) => {
          metrics.processFailed(name);
          events.failed(failure, locate(failure));
        },
        recovered: () => events.recovered(),
        refused: (refusal) => {
          metrics.refused(name, refusal.permission, refusal.times);
          events.refused(refusal);
        },
      },
    };
    try {
      return await (inProcess ? InProcessPlugin.open(options) : IsolatedPlugin.open(options));
    } catch (error) {
      throw error instanceof PluginFailure ? await locate(error) : error;
    }
  }

  /** Only what the operator names, and only if it is set. */
  private environmentOf({ config }: PluginEntry): Record<string, string> {
    const values = config.permissions.env.map((name) => [name, this.options.environment[name]] as const);
    return Object.fromEntries(
      values.filter((pair): pair is readonly [string, string] => pair[1] !== undefined),
    );
  }

  private log(plugin: string, { source, level, text, pid }: PluginLogLine): void {
    this.options.log[level]({ plugin, source, pid: pid ?? undefined }, text);
  }
}

function unsupported({ name, config }: PluginEntry): BackworksError {
  const place = config.where === null ? '' : ` (${config.where})`;
  const message = `plugin ${name}${place} has type "${config.type}", which this version cannot serve yet`;
  return new BackworksError('BW_PLUGIN_UNSUPPORTED', message, {
    hint: 'use type: external with the path of a library, or set enabled: false',
  });
}
