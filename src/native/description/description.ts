import { PluginFailure } from '../../errors.js';
import type { AbiFunction, LibraryDescription } from '../plugin.js';
import { oneLine } from '../../printable.js';

const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/i;
const VERSION_CHARACTERS_MAX = 128;
const DESCRIPTION_BYTES_MAX = 1024;
const FUNCTIONS: ReadonlySet<string> = new Set<AbiFunction>([
  'initialize',
  'shutdown',
  'health_check',
  'before_request',
  'after_response',
  'process_endpoint',
  'manifest',
  'free_string',
  'last_error',
  'bind_host',
  'call',
  'reconfigure',
]);

/**
 * Checks what the runner printed about a library. All of it is untrusted: the library ran in that process
 * and could have written it.
 * @param plugin names the library in errors
 * @throws PluginFailure BW_PLUGIN_METADATA saying what is wrong
 */
export function readDescription(value: unknown, plugin: string): LibraryDescription {
  const wrong = (what: string, hint: string): PluginFailure =>
    new PluginFailure('BW_PLUGIN_METADATA', `plugin ${plugin} has invalid metadata: ${what}`, {
      plugin,
      phase: 'describe',
      hint,
    });
  const inInfo = 'correct what plugin_info() returns';
  const { name, version, description, manifest, functions, ...flags } = asRecord(value);
  const { thread_safe: threadSafe, abi_version: abiVersion } = flags;

  if (typeof name !== 'string' || !NAME.test(name)) {
    const found = typeof name === 'string' ? JSON.stringify(name.slice(0, 80)) : 'missing';
    throw wrong(`its name is ${found}, not 1 to 64 letters, digits, '-' and '_'`, inInfo);
  }
  if (typeof version !== 'string' || version === '') throw wrong('its version is missing', inInfo);
  if (version.length > VERSION_CHARACTERS_MAX || version !== oneLine(version)) {
    throw wrong(`its version is not one line of at most ${VERSION_CHARACTERS_MAX} characters`, inInfo);
  }
  const words = description ?? '';
  if (typeof words !== 'string' || Buffer.byteLength(words) > DESCRIPTION_BYTES_MAX) {
    throw wrong(`its description is longer than ${DESCRIPTION_BYTES_MAX} bytes`, inInfo);
  }
  if ((manifest !== null && typeof manifest !== 'string') || typeof threadSafe !== 'boolean') {
    throw wrong('its description is incomplete', 'build it against the current header');
  }
  return {
    name,
    version,
    description: oneLine(words),
    manifest,
    functions: new Set(Array.isArray(functions) ? functions.filter(isAbiFunction) : []),
    threadSafe,
    abiVersion: typeof abiVersion === 'number' && abiVersion > 0 ? abiVersion : null,
  };
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function isAbiFunction(name: unknown): name is AbiFunction {
  return typeof name === 'string' && FUNCTIONS.has(name);
}
