import type { PluginFailure } from '../../errors.js';
import type { Log } from '../../log.js';
import type { LoadedPlugin } from '../../plugins/loaded-plugin.js';
import { missingPermissions, missingPermissionSentence } from '../../plugins/permissions.js';
import { evidence } from '../entry/post-mortem.js';
import type { RegistryEntry } from '../entry/registry-entry.js';

/** Logs that a plugin is ready, and which permissions and protections are missing. */
export function reportReady(log: Log, entry: RegistryEntry, { metadata }: LoadedPlugin): void {
  const { name, config } = entry.plan;
  const { version } = metadata;
  log.info({ plugin: name, version, isolation: config.isolation }, `plugin ${name} is ready`);
  for (const missing of missingPermissions(metadata.permissions, config.permissions)) {
    log.warn({ plugin: name }, missingPermissionSentence(name, missing));
  }
  reportSandbox(log, entry);
}

/** Logs the missing protections of a plugin's sandbox. */
export function reportSandbox(log: Log, { plan, plugin }: RegistryEntry): void {
  const { name, config } = plan;
  for (const missing of plugin?.sandbox?.missing ?? []) {
    const message = `the sandbox of plugin ${name} is incomplete: ${missing}`;
    log.warn({ plugin: name, sandbox: config.sandbox }, message);
  }
}

/** Why the failure of a plugin that denies requests should refuse them. @param status with which it denied one */
export function failsOpenSentence(name: string, status: number): string {
  return (
    `plugin ${name} has denied a request with ${status}, and when it fails, requests pass without it — ` +
    `set plugins.${name}.on_failure: refuse to refuse them instead`
  );
}

/** Logs a process failure as soon as its location is known. */
export function reportFailure(
  log: Log,
  entry: RegistryEntry,
  failure: PluginFailure,
  located: Promise<PluginFailure>,
): void {
  const { limits } = entry;
  entry.report(async () => {
    const detailed = await located;
    entry.detailFailure(failure, detailed);
    const { code, plugin, message } = detailed;
    log.error({ plugin, code, ...evidence(detailed, limits) }, message);
  });
}
