import type { BackworksConfig } from '../config/types.js';
import { configuredToRun, type EntryParts, libraryToRun, type PluginToRun } from '../plugins/entry-of.js';
import type { LoadedPlugin } from '../plugins/loaded-plugin.js';
import { type PluginLoader, IGNORED_EVENTS } from '../plugins/loader.js';
import type { PipelineHook } from '../plugins/metadata.js';
import { type PluginEntry, type ResolvedPolicy, resolvePolicy } from '../plugins/plugin-entry.js';
import { hookCalls } from './documents.js';
import { generateRequests } from './generated-requests.js';
import { HookDriver, type HookRun, type RunOptions } from './hook-run.js';
import { readRecording } from './recording.js';

export interface ProfileSettings extends Omit<RunOptions, 'deadlineMs' | 'memoryLimitBytes'> {
  /** File of recorded requests; null to generate requests. */
  readonly recording: string | null;
  /** Called before each hook is driven. */
  onHook(hook: PipelineHook): void;
}

export interface ProfileParts extends EntryParts {
  readonly loader: PluginLoader;
}

export interface HookProfile extends HookRun {
  readonly hook: PipelineHook;
}

export interface PluginProfile {
  readonly name: string;
  readonly version: string;
  /** SHA-256 of the library, in hexadecimal. */
  readonly digest: string;
  readonly isolation: 'process' | 'in-process';
  readonly instances: number;
  /** How many different requests the hooks were driven with. */
  readonly requests: number;
  readonly concurrency: number;
  readonly durationMs: number;
  /** The effective `timeouts.call`, in milliseconds. */
  readonly deadlineMs: number;
  readonly hooks: readonly HookProfile[];
  /** Hooks that were not started before the run was interrupted. */
  readonly notDriven: readonly PipelineHook[];
}

/**
 * Profiles a library without a configuration: its `config:` block is empty and the default policy applies.
 * @throws BackworksError when the plugin does not start or the recording is not usable
 */
export async function profileFile(
  path: string,
  settings: ProfileSettings,
  parts: ProfileParts,
): Promise<PluginProfile> {
  return profileEntry(await libraryToRun(path, parts), settings, parts);
}

/**
 * Profiles a plugin with the policy of a configuration and requests for the endpoints that name the plugin.
 * @throws BackworksError BW_PLUGIN_UNKNOWN, or an error of profileFile()
 */
export async function profileConfigured(
  config: BackworksConfig,
  name: string,
  settings: ProfileSettings,
  parts: ProfileParts,
): Promise<PluginProfile> {
  return profileEntry(await configuredToRun(config, name, parts), settings, parts);
}

/** Starts the plugin, drives each of its hooks with the same requests, and stops it. No port is opened. */
async function profileEntry(
  { entry, endpoints }: PluginToRun,
  settings: ProfileSettings,
  { loader }: ProfileParts,
): Promise<PluginProfile> {
  const { recording, concurrency, durationMs } = settings;
  const requests = recording === null ? generateRequests(endpoints) : await readRecording(recording);
  const calm = withoutProtections(entry);
  const plugin = await loader.load(calm, IGNORED_EVENTS);
  const policy = resolvePolicy(calm.config, plugin.metadata);
  const deadlineMs = policy.timeouts.callMs;
  try {
    const { isolation, instances } = entry.config;
    const { name, digest } = plugin;
    const { version } = plugin.metadata;
    const hooks: HookProfile[] = [];
    for (const hook of plugin.metadata.hooks) {
      if (settings.signal.aborted) break;
      settings.onHook(hook);
      const calls = hookCalls(hook, requests, endpoints);
      hooks.push({
        hook,
        ...(await new HookDriver((callMs) => within(plugin, policy, callMs, concurrency), calls, {
          ...settings,
          deadlineMs,
          memoryLimitBytes: policy.limits.memoryBytes * instances,
        }).run()),
      });
    }
    const notDriven = [...plugin.metadata.hooks].slice(hooks.length);
    return {
      name,
      version,
      digest,
      isolation,
      instances,
      requests: requests.length,
      concurrency,
      durationMs,
      deadlineMs,
      hooks,
      notDriven,
    };
  } finally {
    await plugin.close();
  }
}

/** Turns off the protections that would stop or replace a process during the measurement. */
function withoutProtections({ config, ...entry }: PluginEntry): PluginEntry {
  return {
    ...entry,
    config: {
      ...config,
      circuitBreaker: { ...config.circuitBreaker, failures: Number.MAX_SAFE_INTEGER },
      retry: { attempts: 1, on: [] },
      limits: { ...config.limits, idleCpuPercent: 0 },
      recycle: { calls: 0, memoryBytes: 0 },
      quarantine: { ...config.quarantine, failures: 0 },
      restart: { ...config.restart, delayMs: 1, maxDelayMs: 1 },
    },
  };
}

/** The same processes with another deadline and a queue that holds every call of the run. */
function within(loaded: LoadedPlugin, policy: ResolvedPolicy, callMs: number, calls: number): LoadedPlugin {
  const { timeouts, limits } = policy;
  return loaded.adjusted({
    ...policy,
    timeouts: { ...timeouts, callMs },
    limits: { ...limits, queue: Math.max(limits.queue, calls) },
  });
}
