import { parseConfig } from '../dist/index.js';
import { adjustableSettings } from '../dist/plugins/native-settings.js';
import { sandboxOf } from '../dist/plugins/sandbox-of.js';

/**
 * The options that Backworks itself passes to IsolatedPlugin.open() or InProcessPlugin.open() by default.
 * @param sandbox as in the configuration
 */
export function nativeOptions(name, libraryPath, sandbox = 'strict') {
  const path = JSON.stringify(libraryPath);
  const yaml = `plugins: { bench: { type: external, path: ${path}, sandbox: ${sandbox} } }`;
  const { config } = parseConfig(yaml, { directory: '/' });
  const plugin = config.plugins.find((candidate) => candidate.name === 'bench');
  const { limits, instances } = plugin;
  return {
    ...adjustableSettings(plugin),
    name,
    libraryPath,
    configJson: '{}',
    sandbox: sandboxOf(plugin),
    environment: {},
    instances,
    concurrency: limits.concurrency,
    // Long enough for a busy machine.
    initializeTimeoutMs: 60_000,
    shutdownTimeoutMs: 10_000,
    replyBytesMax: limits.replyBytes,
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

/** The ticket of calls that are never cancelled. */
export function unguarded() {
  return { deadlineAtMs: Infinity, requestId: null, callers: [], onStop() {} };
}
