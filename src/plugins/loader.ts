import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { PluginExecutor, type CircuitStateName } from '../execution/executor.js';
import type { DeadlineTimer } from '../execution/deadline.js';
import type { PluginMetrics } from '../metrics/plugin-metrics.js';
import { BackworksError, PluginFailure, type PluginOutcome, type PluginPhase } from '../errors.js';
import type { Log } from '../log.js';
import { InProcessPlugin } from '../native/in-process/in-process.js';
import { IsolatedPlugin } from '../native/pool/isolated.js';
import { checkLibrary } from '../native/library/facts/index.js';
import { libraryFacts } from '../native/library/library-facts.js';
import type { LibraryHold } from '../native/library/library-holds.js';
import type { LibraryStore, StoredLibrary } from '../native/library/library-store.js';
import type {
  RequestingCall,
  LibraryDescription,
  NativePlugin,
  NativeReply,
  OperationRequest,
  NativePluginOptions,
  PluginLogLine,
  Refusal,
  ShutdownResult,
} from '../native/plugin.js';
import type { KeyValueStore } from '../services/key-value-store.js';
import type { PluginFetch, PluginFetches } from '../services/plugin-fetch.js';
import { LoadedPlugin } from './loaded-plugin.js';
import { configJson, fittingConfig } from './fitting-config.js';
import { type PluginMetadata, readMetadata } from './metadata.js';
import { adjustableSettings } from './native-settings.js';
import { type PluginEntry, resolvePolicy } from './plugin-entry.js';
import { withSource } from '../native/process/crash-source.js';
import type { PluginUsers } from './plugin-users.js';
import { sandboxOf } from './sandbox-of.js';

/** Events of a plugin while it is loading and running. */
export interface PluginEvents {
  /** A process exists, and waits until the promise resolves before it loads the library. */
  spawned?(pid: number): Promise<void>;
  /** The library was read. @param digest SHA-256 of the library, in hexadecimal */
  identified(digest: string): void;
  /**
   * A process failed.
   * @param located resolves to the same failure with functions, source lines and the runtime's message; never rejects
   */
  failed(failure: PluginFailure, located: Promise<PluginFailure>): void;
  recovered(): void;
  /** A process that was asked to end has ended. */
  stopped?(result: ShutdownResult): void;
  /** A process gave an unusable answer or reported a failure, and keeps running. */
  badAnswer(failure: PluginFailure): void;
  /** The sandbox refused an operation of the plugin. */
  refused(refusal: Refusal): void;
  circuit(state: CircuitStateName): void;
  /** Its before_request has denied a request, with 401 or 403; called once. */
  denied(status: number): void;
  /** Every call of a hook fails. @param error of the newest call; null when a call has succeeded again */
  failing(phase: PluginPhase, error: BackworksError | null): void;
  /** The plugin calls an operation of another plugin. Resolves to null if there is no answer. Never rejects. */
  operate(request: OperationRequest, caller: RequestingCall | null): Promise<NativeReply>;
}

/** Outcomes of calls without a usable answer, from processes that keep running. */
const UNUSABLE: ReadonlySet<PluginOutcome> = new Set(['bad_response', 'failed']);

/** Ignores all events; calls to other plugins get no answer. */
export const IGNORED_EVENTS: PluginEvents = {
  identified() {},
  failed() {},
  recovered() {},
  badAnswer() {},
  refused() {},
  circuit() {},
  denied() {},
  failing() {},
  operate: () => Promise.resolve(null),
};

export interface QuarantineCheck {
  /** @throws PluginFailure BW_PLUGIN_QUARANTINED if the library is in quarantine */
  check(digest: string, plugin: string): Promise<void>;
}

export interface PluginLoaderOptions {
  readonly log: Log;
  readonly metrics: PluginMetrics;
  readonly timer: DeadlineTimer;
  /** Opened when the first library is loaded. */
  readonly store: () => Promise<LibraryStore>;
  readonly quarantine: () => Promise<QuarantineCheck>;
  readonly users: PluginUsers;
  /** Values of the variables that `permissions.env` grants to plugins. */
  readonly environment: NodeJS.ProcessEnv;
  readonly keyValues: KeyValueStore;
  readonly fetches: PluginFetches;
  /** A program that runs the runner, and its arguments; see NativePluginOptions. */
  readonly runUnder?: readonly string[];
}

/**
 * Chooses the library that an entry runs.
 * @param add checks the file at the entry's path and copies it to the store
 * @returns the result of `add`, or another copy from the store
 */
export type LibraryChoice = (add: () => Promise<StoredLibrary>) => Promise<StoredLibrary>;

/** Turns an entry into a running plugin. */
export class PluginLoader {
  constructor(private readonly options: PluginLoaderOptions) {}

  /** A loader whose processes run under a program, such as a tracer. @param command the program and its arguments */
  under(command: readonly string[]): PluginLoader {
    return new PluginLoader({ ...this.options, runUnder: command });
  }

  /**
   * Checks the file, copies it to the store and checks that it is not in quarantine.
   * @throws BackworksError BW_LIBRARY_*, BW_PLUGIN_UNSUPPORTED or BW_PLUGIN_QUARANTINED
   */
  async admit(
    entry: PluginEntry,
    { identified }: Pick<PluginEvents, 'identified'>,
    choose: LibraryChoice = (add) => add(),
  ): Promise<StoredLibrary> {
    const { name, config } = entry;
    const { path } = config;
    if (path === null) throw unsupported(entry);
    const stored = await choose(async () => {
      checkLibrary(path, await libraryFacts(path));
      return (await this.options.store()).add(path);
    });
    identified(stored.digest);
    await (await this.options.quarantine()).check(stored.digest, name);
    return stored;
  }

  /**
   * Admits a library, loads and initializes it, and puts an executor around it.
   * @throws BackworksError the reason the plugin does not start; no process is left running
   */
  async load(entry: PluginEntry, events: PluginEvents, choose?: LibraryChoice): Promise<LoadedPlugin> {
    const { name, config } = entry;
    const { stored, hold } = await this.holdLibrary(entry, events, choose);
    let native: NativePlugin | null = null;
    try {
      native = await this.open(entry, stored, events);
      const metadata = readMetadata(native.description, 'load');
      const policy = resolvePolicy(config, metadata);
      const executor = new PluginExecutor({
        plugin: name,
        settings: policy,
        timer: this.options.timer,
        metrics: this.options.metrics,
        onCircuitChange: (state) => events.circuit(state),
        onFailing: (phase, error) => events.failing(phase, error),
        onFailure: (error) => {
          if (error instanceof PluginFailure && UNUSABLE.has(error.outcome)) events.badAnswer(error);
        },
      });
      const { digest, dependencies } = stored;
      const onDenied = (status: number): void => events.denied(status);
      return new LoadedPlugin(
        { name, digest, dependencies: dependencies.digest, metadata, policy, onDenied },
        native,
        executor,
        hold,
      );
    } catch (error) {
      await native?.close();
      await hold.release();
      throw error;
    }
  }

  /** Admits a library and keeps its copy in the store while the plugin uses it. */
  private async holdLibrary(
    entry: PluginEntry,
    events: PluginEvents,
    choose?: LibraryChoice,
  ): Promise<{ stored: StoredLibrary; hold: LibraryHold }> {
    const store = await this.options.store();
    for (;;) {
      const stored = await this.admit(entry, events, choose);
      const hold = await store.hold(stored);
      if (stored.inPlace || existsSync(stored.path)) return { stored, hold };
      // Another server removed the copy before the hold was taken, so the loop copies it again.
      await hold.release();
    }
  }

  private async open(entry: PluginEntry, stored: StoredLibrary, events: PluginEvents): Promise<NativePlugin> {
    const { name, config } = entry;
    const { metrics } = this.options;
    const inProcess = config.isolation === 'in-process';
    const store = await this.options.store();
    const library = inProcess ? await store.privateCopy(stored, name) : stored.path;
    const original = config.path ?? library;
    const dependencies = stored.dependencies.files.map(({ path }) => path);
    const locate = (failure: PluginFailure): Promise<PluginFailure> =>
      withSource(failure, { loaded: library, dependencies });
    const options: NativePluginOptions = {
      name,
      libraryPath: library,
      libraryDigest: stored.digest,
      libraryInPlace: stored.inPlace,
      libraryDependencies: stored.dependencies,
      libraryName: basename(original),
      originalPath: original,
      configJson: configJson(config),
      prepareConfig: async (description) => {
        const { configSchema } = identify(entry, description);
        return fittingConfig(name, configSchema, config);
      },
      sandbox: sandboxOf(config, stored, this.options.users.of(name)),
      runUnder: this.options.runUnder,
      environment: this.environmentOf(entry),
      instances: config.instances,
      concurrency: config.limits.concurrency,
      replyBytesMax: config.limits.replyBytes,
      ...adjustableSettings(config),
      spawned: events.spawned && ((pid) => events.spawned?.(pid) ?? Promise.resolve()),
      operate: (request, caller) => events.operate(request, caller),
      fetch: this.fetchOf(entry, events),
      keyValues: this.options.keyValues.of(name),
      events: {
        log: (line) => this.log(name, line),
        metric: (counter, delta) => {
          const warning = metrics.customCounter(name, counter, delta);
          if (warning !== null) this.options.log.warn({ plugin: name }, warning);
        },
        failed: (failure) => {
          metrics.processFailed(name);
          events.failed(failure, locate(failure));
        },
        recovered: () => events.recovered(),
        stopped: (result) => events.stopped?.(result),
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

  private fetchOf({ name, config }: PluginEntry, events: PluginEvents): PluginFetch {
    const { metrics, fetches } = this.options;
    return fetches.of({
      plugin: name,
      origins: config.permissions.network.fetch,
      refused: (origin) => {
        metrics.refused(name, 'network.fetch', 1);
        events.refused({ permission: 'network.fetch', function: 'http_fetch', object: origin, times: 1 });
      },
    });
  }

  /** The variables that the operator grants, if they are set. */
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

/** Reads the metadata. @throws PluginFailure BW_PLUGIN_METADATA if it is invalid or names another plugin */
function identify({ name, origin }: PluginEntry, description: LibraryDescription): PluginMetadata {
  const metadata = readMetadata(description, 'load');
  if (origin === 'config' || metadata.name === name) return metadata;
  const message = `the library of plugin ${name} is now named ${JSON.stringify(metadata.name)}`;
  const hint =
    "a discovered plugin has its library's name; to keep the old name, add an entry under plugins:";
  throw new PluginFailure('BW_PLUGIN_METADATA', message, { plugin: name, phase: 'load', hint });
}

function unsupported({ name, config }: PluginEntry): BackworksError {
  const place = config.where === null ? '' : ` (${config.where})`;
  const message = `plugin ${name}${place} has type "${config.type}", which is not supported yet`;
  return new BackworksError('BW_PLUGIN_UNSUPPORTED', message, {
    hint: 'use type: external with the path of a library, or set enabled: false',
  });
}
