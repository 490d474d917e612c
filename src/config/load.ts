import { dirname, resolve } from 'node:path';
import { reportContradictions } from './contradictions.js';
import { displayName, FILE_BYTES_MAX, readText } from './file.js';
import { deepFreeze, normalize, normalizePolicy } from './normalize.js';
import { ProblemReport } from './problems.js';
import { pluginEntries } from './plugin-entries.js';
import type { RawConfig } from './raw.js';
import { validateSchema } from './schema.js';
import { readSource, type Source } from './source.js';
import type { BackworksConfig, PluginPolicy } from './types.js';
import { warningsFor } from './warnings.js';

export { findConfigFile } from './file.js';
export { ConfigError, type ConfigProblem, formatProblem } from './problems.js';

export interface LoadedConfig {
  readonly config: BackworksConfig;
  /** One line each, starting with `file:line:column`. */
  readonly warnings: readonly string[];
}

export interface LoadOptions {
  /** Where variables come from; process.env when absent. */
  readonly env?: NodeJS.ProcessEnv | undefined;
}

export interface ParseOptions extends LoadOptions {
  /** Path of the file, absolute or relative to `directory`. */
  readonly file?: string | undefined;
  /** Absolute; relative paths of the configuration start here. */
  readonly directory: string;
}

/**
 * Reads a configuration file.
 * @throws ConfigError with all problems of the file; BackworksError BW_CONFIG_NOT_FOUND when it cannot be read.
 */
export async function loadConfig(file: string, options: LoadOptions = {}): Promise<LoadedConfig> {
  const path = resolve(file);
  return parseConfig(await readText(path), { env: options.env, file: path, directory: dirname(path) });
}

/**
 * Reads the text of a configuration.
 * @throws ConfigError with all problems of the text.
 */
export function parseConfig(text: string, options: ParseOptions): LoadedConfig {
  const shown = options.file === undefined ? 'configuration' : displayName(options.file);
  const source = check(text, shown, options);
  const raw = source.value as unknown as RawConfig;
  const where = (pointer: string): string => {
    const { line, column } = source.keyPosition(pointer);
    return `${shown}:${line}:${column}`;
  };
  const config = normalize(raw, {
    file: options.file === undefined ? null : resolve(options.directory, options.file),
    directory: options.directory,
    where: options.file === undefined ? () => null : where,
  });
  const places = { where, isGiven: (pointer: string) => source.isGiven(pointer) };
  return { config, warnings: Object.freeze(warningsFor(raw, config, places)) };
}

/** A source whose value is a RawConfig. */
function check(text: string, shown: string, options: ParseOptions): Source {
  const report = new ProblemReport(shown);
  if (Buffer.byteLength(text) > FILE_BYTES_MAX) {
    const message = `the file is longer than ${FILE_BYTES_MAX} bytes`;
    report.add('BW_CONFIG_SYNTAX', '', { line: 1, column: 1 }, { message });
    report.throwIfAny();
  }
  const source = readSource(text, options.env ?? process.env, report);
  const broken = validateSchema(source, report);
  reportContradictions(source, options.directory, broken, report);
  report.throwIfAny();
  return source;
}

let policy: PluginPolicy | undefined;

/** How a plugin runs that has no entry of its own, such as a discovered one. */
export function defaultPluginPolicy(): PluginPolicy {
  if (policy === undefined) {
    const source = check('plugins: { any: { type: builtin } }', 'defaults', { directory: '/', env: {} });
    const [entry] = pluginEntries((source.value as unknown as RawConfig).plugins);
    if (entry === undefined) throw new TypeError('the configuration lost its plugin');
    policy = deepFreeze(normalizePolicy(entry[1], '/'));
  }
  return policy;
}
