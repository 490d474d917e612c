import type { JsonObject } from '../config/types.js';
import type { LibraryDescription } from '../native/plugin.js';
import type { PluginMetadata } from '../plugins/metadata.js';
import { isVersion } from '../plugins/version.js';
import type { Report } from './report.js';

const NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const NAME_BYTES_MAX = 64;
const HOOKS = ['before_request', 'process_endpoint', 'after_response'] as const;
const MANIFEST_KEYS = [
  'hooks',
  'capabilities',
  'dependencies',
  'config_schema',
  'permissions',
  'max_execution_time_ms',
  'critical',
  'priority',
  'body',
  'author',
  'license',
  'backworks',
];
const LIFECYCLE = ['initialize', 'shutdown', 'health_check'] as const;

/**
 * Reports metadata that is valid but probably a mistake.
 * @param manifest as the library returns it, after it was checked
 */
export function checkDescription(
  { name, version, description, hooks, capabilities }: PluginMetadata,
  functions: LibraryDescription['functions'],
  manifest: Readonly<JsonObject>,
  report: Report,
): void {
  const listedHooks = (manifest['hooks'] ?? null) as readonly string[] | null;
  const warn = (check: string, detail: string, hint: string): void =>
    report.note(check, 'warning', detail, hint);
  if (!NAME.test(name) || Buffer.byteLength(name) > NAME_BYTES_MAX) {
    const detail = `${JSON.stringify(name)} is not a name of lower-case words joined by "-"`;
    warn('name', detail, `plugin_info() returns a name such as "weather", at most ${NAME_BYTES_MAX} bytes`);
  }
  if (!isVersion(version)) {
    const detail = `${JSON.stringify(version)} is not a semantic version`;
    const hint = 'plugin_info() returns a version such as "1.2.3", so that other plugins can depend on it';
    warn('version', detail, hint);
  }
  if (description.trim() === '')
    warn('description', 'the plugin has no description', 'plugin_info() returns one sentence for people');
  for (const key of Object.keys(manifest)) {
    if (MANIFEST_KEYS.includes(key)) continue;
    warn(
      'manifest',
      `the manifest has the unknown key ${JSON.stringify(key)}`,
      `known keys: ${MANIFEST_KEYS.join(', ')}`,
    );
  }
  checkSlots(functions, listedHooks, capabilities, report);
  if (hooks.size === 0 && capabilities.length === 0) {
    const detail = 'the plugin has no hook and no capability, so nothing ever calls it';
    report.note('hooks', 'failed', detail, 'return at least one function from plugin_vtable()');
  }
}

/** A manifest that promises functions which the tables do not have: their members are NULL. */
function checkSlots(
  functions: LibraryDescription['functions'],
  listedHooks: readonly string[] | null,
  capabilities: readonly string[],
  report: Report,
): void {
  for (const listed of listedHooks ?? []) {
    const hook = HOOKS.find((known) => known === listed);
    if (hook === undefined) {
      const isOther = LIFECYCLE.some((known) => known === listed);
      const detail = `the manifest lists ${JSON.stringify(listed)}, which is not a hook`;
      const hint = isOther ? 'list only hooks' : `hooks: ${HOOKS.join(', ')}`;
      report.note('hooks', 'failed', detail, hint);
    } else if (!functions.has(hook)) {
      const detail = `the manifest lists ${hook}, but plugin_vtable() returns NULL for it`;
      report.note(
        'hooks',
        'failed',
        detail,
        'set the member of the vtable, or remove the hook from the manifest',
      );
    }
  }
  // An SDK that sets every member of the tables says nothing about what the author forgot to list.
  if (HOOKS.every((hook) => functions.has(hook)) && functions.has('call')) return;
  if (listedHooks !== null) {
    for (const hook of HOOKS) {
      if (!functions.has(hook) || listedHooks.includes(hook)) continue;
      const detail = `plugin_vtable() has ${hook}, but the manifest does not list it, so it is never called`;
      report.note('hooks', 'warning', detail, 'list it under "hooks", or leave "hooks" out');
    }
  }
  if (capabilities.length > 0 && !functions.has('call')) {
    const detail = `the manifest lists capabilities (${capabilities.join(', ')}), but call() is NULL`;
    report.note('capabilities', 'failed', detail, 'set "call" in the extension table, which performs them');
  }
  if (capabilities.length === 0 && functions.has('call')) {
    const detail =
      'the extension table has call(), but the manifest lists no capabilities, so it is never called';
    report.note(
      'capabilities',
      'warning',
      detail,
      'list its operations under "capabilities" in the manifest',
    );
  }
}
