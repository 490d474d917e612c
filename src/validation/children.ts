import type { PluginConfig } from '../config/types.js';
import { BackworksError, type ErrorCode, type PluginFailure } from '../errors.js';
import type { Refusal, ShutdownResult } from '../native/plugin.js';
import type { LoadedPlugin } from '../plugins/loaded-plugin.js';
import { IGNORED_EVENTS, type PluginEvents, type PluginLoader } from '../plugins/loader.js';
import type { PluginMetadata } from '../plugins/metadata.js';
import { resolvePolicy } from '../plugins/plugin-entry.js';
import { FailedInput, type Report } from './report.js';

/**
 * Environment of the processes. glibc then overwrites freed memory and checks small blocks, which reveals heap
 * damage that would otherwise go unnoticed. Other C libraries ignore these settings.
 */
export const HEAP_CHECKS = { GLIBC_TUNABLES: 'glibc.malloc.perturb=255:glibc.malloc.tcache_count=0' };

/** A call may take this many deadlines, so that a busy machine is not taken for a plugin that hangs. */
const DEADLINES_WAITED = 10;
/** A call may take at least this long. */
export const CALL_MS_MIN = 3000;
/** The largest deadline that a frame holds. */
const CALL_MS_MAX = 999_999_999;
const NEVER = 1_000_000;

/** A process that a check no longer needs has this time for its shutdown(). */
const END_MS = 250;

/** Errors that have the failure of a process as their reason, if it has failed. */
const GONE: readonly ErrorCode[] = ['BW_PLUGIN_UNAVAILABLE', 'BW_PLUGIN_RECONFIGURE'];

/** A process with the plugin, for one check. */
export interface Child {
  readonly plugin: LoadedPlugin;
  /** Why the process failed; null when it did not. */
  readonly failure: PluginFailure | null;
  /** Ends the process. @returns how it ended; null when it had failed before */
  close(): Promise<ShutdownResult | null>;
}

/** The processes of one validation. Every check has its own, in the plugin's sandbox. */
export class Children {
  /** What the sandbox refused, in all processes. */
  readonly refusals: Refusal[] = [];

  /** @param config as a server would run the plugin */
  constructor(
    private readonly loader: PluginLoader,
    private readonly config: PluginConfig,
    private readonly report: Report,
  ) {}

  /**
   * The same, with each process under a program such as a tracer.
   * @param command the program and its arguments
   * @param changed what is different in the configuration
   */
  under(command: readonly string[], changed: (config: PluginConfig) => Partial<PluginConfig>): Children {
    const config = { ...this.config, ...changed(this.config) };
    return new Children(this.loader.under(command), config, this.report);
  }

  /** The same, with the deadline that a server sets for calls. */
  withDeadline(callMs: number): Children {
    const timeouts = { ...this.config.timeouts, callMs };
    return new Children(this.loader, { ...this.config, timeouts }, this.report);
  }

  /**
   * @param shutdownMs how long shutdown() may take
   * @throws BackworksError the reason the plugin does not start; no process is left running
   */
  async open(changes: Partial<PluginConfig> = {}, shutdownMs = END_MS): Promise<Child> {
    let stopped: ShutdownResult | null = null;
    let failure: PluginFailure | null = null;
    const events: PluginEvents = {
      ...IGNORED_EVENTS,
      failed: (...failed) => {
        failure ??= failed[0];
        this.report.locate(...failed);
      },
      refused: (refusal) => void this.refusals.push(refusal),
      stopped: (result) => (stopped = result),
    };
    const timeouts = { ...this.config.timeouts, shutdownMs };
    const config = { ...this.config, timeouts, ...changes };
    const plugin = await this.loader.load({ name: config.name, origin: 'config', config }, events);
    return {
      plugin,
      get failure() {
        return failure;
      },
      close: async () => {
        await plugin.close();
        return stopped;
      },
    };
  }

  /**
   * Runs a check in a process of its own, which ends with the check.
   * @throws the error of `run`, or the failure of a process that failed between the calls
   */
  async within<T>(run: (child: Child) => Promise<T>, changes?: Partial<PluginConfig>): Promise<T> {
    const child = await this.open(changes);
    let result: T;
    try {
      result = await run(child);
    } catch (thrown) {
      await child.close();
      throw blamed(thrown, child.failure);
    }
    const end = await child.close();
    const failure = child.failure ?? end?.failure ?? null;
    // Only the check "shutdown" waits for it.
    if (failure !== null && failure.phase !== 'shutdown') throw failure;
    return result;
  }
}

/** The failure of the process, when a call says no more than that the process is gone. */
function blamed(thrown: unknown, failure: PluginFailure | null): unknown {
  if (failure === null) return thrown;
  if (thrown instanceof FailedInput) {
    const { reason, input } = thrown;
    return isGone(reason) ? new FailedInput(failure, { ...input, alone: false }) : thrown;
  }
  return isGone(thrown) ? failure : thrown;
}

function isGone(thrown: unknown): boolean {
  return thrown instanceof BackworksError && GONE.includes(thrown.code);
}

/**
 * The settings of an entry for its checks: one process that nothing replaces, and more time for calls than a server
 * gives. The sandbox, its permissions and the limits of memory, files and threads stay as they are.
 */
export function checkedConfig(config: PluginConfig, metadata: PluginMetadata): PluginConfig {
  const { limits, permissions, timeouts } = config;
  const { callMs } = resolvePolicy(config, metadata).timeouts;
  const patient = (ms: number): number => Math.min(Math.max(ms * DEADLINES_WAITED, CALL_MS_MIN), CALL_MS_MAX);
  return {
    ...config,
    isolation: 'process',
    load: 'eager',
    instances: 1,
    retry: { attempts: 1, on: [] },
    recycle: { calls: 0, memoryBytes: 0 },
    circuitBreaker: { ...config.circuitBreaker, failures: NEVER },
    timeouts: { ...timeouts, callMs: patient(callMs) },
    limits: {
      ...limits,
      concurrency: 1,
      parsedReplyBytes: Math.max(limits.parsedReplyBytes, limits.replyBytes),
      callCpuMs: limits.callCpuMs === 0 ? 0 : patient(limits.callCpuMs),
      idleCpuPercent: 0,
    },
    permissions: {
      ...permissions,
      env: [...new Set([...permissions.env, ...Object.keys(HEAP_CHECKS)])],
    },
  };
}
