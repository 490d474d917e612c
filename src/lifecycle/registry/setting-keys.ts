/** What a changed setting requires. */
export type SettingEffect =
  /** The processes stay; only the server's handling of calls and processes changes. */
  | 'adjust'
  /** The plugin is reconfigured; a plugin without reconfigure() is swapped. */
  | 'reconfigure'
  /** New processes replace the current ones. */
  | 'swap';

interface SettingKey {
  /** As in the configuration file, below `plugins.NAME`. */
  readonly key: string;
  readonly effect: SettingEffect;
}

const adjust = (key: string): SettingKey => ({ key, effect: 'adjust' });
const swap = (key: string): SettingKey => ({ key, effect: 'swap' });

/** Path in PluginConfig → setting. A path that is missing here requires a swap. */
const SETTINGS: Readonly<Record<string, SettingKey>> = {
  type: swap('type'),
  path: swap('path'),
  critical: adjust('critical'),
  onFailure: adjust('on_failure'),
  hookScope: adjust('hooks'),
  priority: adjust('priority'),
  'body.request': adjust('body.request'),
  'body.response': adjust('body.response'),
  load: adjust('load'),
  idleAfterMs: adjust('idle_after'),
  isolation: swap('isolation'),
  trusted: adjust('trusted'),
  sandbox: swap('sandbox'),
  instances: swap('instances'),
  config: { key: 'config', effect: 'reconfigure' },
  'permissions.filesystem.read': swap('permissions.filesystem.read'),
  'permissions.filesystem.write': swap('permissions.filesystem.write'),
  'permissions.network.connect': swap('permissions.network.connect'),
  'permissions.network.listen': swap('permissions.network.listen'),
  'permissions.network.udp': swap('permissions.network.udp'),
  'permissions.network.fetch': swap('permissions.network.fetch'),
  'permissions.env': swap('permissions.env'),
  'timeouts.callMs': adjust('timeouts.call'),
  'timeouts.initializeMs': adjust('timeouts.initialize'),
  'timeouts.shutdownMs': adjust('timeouts.shutdown'),
  'circuitBreaker.failures': adjust('circuit_breaker.failures'),
  'circuitBreaker.windowMs': adjust('circuit_breaker.window'),
  'circuitBreaker.resetAfterMs': adjust('circuit_breaker.reset_after'),
  'retry.attempts': adjust('retry.attempts'),
  'retry.on': adjust('retry.on'),
  'limits.memoryBytes': swap('limits.memory'),
  'limits.openFiles': swap('limits.open_files'),
  'limits.threads': swap('limits.threads'),
  'limits.fileSizeBytes': swap('limits.file_size'),
  'limits.callCpuMs': adjust('limits.cpu_time'),
  'limits.idleCpuPercent': adjust('limits.idle_cpu'),
  'limits.concurrency': swap('limits.concurrency'),
  'limits.queue': adjust('limits.queue'),
  'limits.replyBytes': swap('limits.reply'),
  'limits.parsedReplyBytes': adjust('limits.parsed_reply'),
  'limits.logBytesPerSecond': adjust('limits.log_rate'),
  'limits.kvBytes': adjust('limits.kv'),
  'recycle.calls': adjust('recycle.calls'),
  'recycle.memoryBytes': adjust('recycle.memory'),
  'restart.delayMs': adjust('restart.delay'),
  'restart.maxDelayMs': adjust('restart.max_delay'),
  'healthCheck.intervalMs': adjust('health.interval'),
  'healthCheck.timeoutMs': adjust('health.timeout'),
  'quarantine.failures': adjust('quarantine.failures'),
  'quarantine.windowMs': adjust('quarantine.window'),
  'swap.watch': adjust('swap.watch'),
  'swap.canary.percent': adjust('swap.canary.percent'),
  'swap.canary.durationMs': adjust('swap.canary.duration'),
  'swap.probation.durationMs': adjust('swap.probation.duration'),
  'swap.probation.maxErrorPercent': adjust('swap.probation.max_error_rate'),
  'swap.probation.maxLatencyPercent': adjust('swap.probation.max_latency'),
  'swap.probation.maxCrashes': adjust('swap.probation.max_crashes'),
  'swap.probation.minCalls': adjust('swap.probation.min_calls'),
  'swap.keep': adjust('swap.keep'),
};

/** The setting at a path in PluginConfig. An unlisted setting requires a swap, which is always safe. */
export function settingAt(path: string): SettingKey {
  return SETTINGS[path] ?? swap(path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
}

/**
 * Whether SETTINGS lists the path. A test checks every path of the schema.
 * @internal exported for its test
 */
export function isKnownSetting(path: string): boolean {
  return Object.hasOwn(SETTINGS, path);
}
