import { parseConfig } from '../dist/index.js';

/** What Backworks itself would hand to IsolatedPlugin.open() or InProcessPlugin.open(). */
export function nativeOptions(name, libraryPath, { instances = 1 } = {}) {
  const yaml = `plugins: { bench: { type: external, path: ${JSON.stringify(libraryPath)} } }`;
  const { config } = parseConfig(yaml, { directory: '/' });
  const { limits, recycle, timeouts } = config.plugins.find((plugin) => plugin.name === 'bench');
  return {
    name,
    libraryPath,
    configJson: '{}',
    instances,
    initializeTimeoutMs: timeouts.initializeMs,
    shutdownTimeoutMs: timeouts.shutdownMs,
    replyBytesMax: limits.replyBytes,
    logBytesPerSecond: limits.logBytesPerSecond,
    recycleCalls: recycle.calls,
    recycleMemoryBytes: recycle.memoryBytes,
    events: {
      log: ({ level, text }) => process.stderr.write(`${name}: ${level}: ${text}\n`),
      metric() {},
      failed(failure) {
        throw failure;
      },
      recovered() {},
    },
  };
}

/** A context for calls nobody stops. */
export function unguarded() {
  return { deadlineAtMs: Infinity, stop: null };
}
