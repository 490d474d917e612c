import { dirname, resolve } from 'node:path';
import { reportContradictions } from '../contradictions/contradictions.js';
import { displayName, FILE_BYTES_MAX, readText } from '../source/file.js';
import { deepFreeze, normalize, normalizePlugin, normalizePolicy, type Origin } from './normalize.js';
import { layer } from './layers.js';
import { isMapping } from '../source/merge.js';
import { CURRENT_VERSION, versionOf } from '../migrations/version.js';
import type { Override } from './override.js';
import { below, isWithin, type Pointer } from '../source/pointer.js';
import { formatPlace, ProblemReport } from '../source/problems.js';
import { pluginEntries } from '../schema/plugin-entries.js';
import { rememberBlocks } from '../plugin-schema/config-blocks.js';
import type { RawConfig, RawPlugin } from '../schema/raw.js';
import { validateSchema } from '../schema/schema.js';
import { readSource, Source } from '../source/source.js';
import type { BackworksConfig, PluginConfig, PluginPolicy, UserRange } from '../types.js';
import { writtenAt } from '../source/written.js';
import { warningsFor } from './warnings.js';

export { findConfigFile } from '../source/file.js';
export type { Override } from './override.js';
export { ConfigError, type ConfigProblem } from '../source/problems.js';

/** A checked configuration. */
export interface LoadedConfig {
  readonly config: BackworksConfig;
  /** One line each, beginning with `file:line:column`. */
  readonly warnings: readonly string[];
  /** The environment whose overlay was applied, or null. */
  readonly environment: string | null;
  /** Absolute paths of the files that were read. */
  readonly files: readonly string[];
}

/** Inputs of a configuration besides its file. */
export interface LoadOptions {
  /** Values of `${VARIABLES}`; default: process.env. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** The environment whose overlay is applied; default: none. */
  readonly environment?: string | undefined;
  /** Single values that replace those of the file. The last one wins. */
  readonly overrides?: readonly Override[] | undefined;
}

/** The origin of a configuration's text. */
export interface ParseOptions extends LoadOptions {
  /** Path of the file, absolute or relative to `directory`. */
  readonly file?: string | undefined;
  /** Absolute. Relative paths in the configuration start here. */
  readonly directory: string;
}

/**
 * Reads and checks a configuration file. No plugin code runs.
 *
 * @param file absolute, or relative to the working directory
 * @returns the frozen configuration, with its defaults, and the warnings
 * @throws ConfigError when the file has problems. The error lists all of them.
 * @throws BackworksError BW_CONFIG_NOT_FOUND when the file cannot be read
 *
 * @example
 * ```ts
 * import { loadConfig } from 'backworks';
 *
 * const { config, warnings } = await loadConfig('backworks.yaml', { environment: 'production' });
 * console.log(config.server.port, warnings); // 80 []
 * ```
 */
export async function loadConfig(file: string, options: LoadOptions = {}): Promise<LoadedConfig> {
  const path = resolve(file);
  return parseConfig(await readText(path), { ...options, file: path, directory: dirname(path) });
}

/**
 * Checks a configuration that is given as text. No file is read and no plugin code runs.
 *
 * @param text YAML, as in `backworks.yaml`
 * @returns the frozen configuration, with its defaults, and the warnings
 * @throws ConfigError when the text has problems. The error lists all of them.
 *
 * @example
 * ```ts
 * import { parseConfig } from 'backworks';
 *
 * const { config } = parseConfig('server: { body_limit: 2MiB }', { directory: process.cwd() });
 * console.log(config.server.bodyLimitBytes, config.server.port); // 2097152 8080
 * ```
 */
export function parseConfig(text: string, options: ParseOptions): LoadedConfig {
  const source = check(text, options);
  const raw = source.value as unknown as RawConfig;
  const where = (pointer: string): string => formatPlace(source.keyPosition(pointer));
  const origin = originOf(source, options);
  const { file } = origin;
  const config = normalize(raw, origin);
  rememberBlocks(config, source);
  const places = { where, isGiven: (pointer: string) => source.isGiven(pointer) };
  return {
    config,
    warnings: Object.freeze(warningsFor(raw, places)),
    environment: options.environment ?? null,
    files: Object.freeze(file === null ? [] : [file]),
  };
}

/** A configuration with the keys of the file, for display. */
export interface EffectiveConfig {
  /** The value has the shape of a RawConfig. */
  readonly source: Source;
  readonly environment: string | null;
  /** Absolute. */
  readonly file: string;
}

/**
 * Reads a configuration file like loadConfig(), but keeps the keys and units of the file.
 * @throws ConfigError. @throws BackworksError BW_CONFIG_NOT_FOUND
 */
export async function loadEffective(file: string, options: LoadOptions): Promise<EffectiveConfig> {
  const path = resolve(file);
  const source = check(await readText(path), { ...options, file: path, directory: dirname(path) });
  return { source, environment: options.environment ?? null, file: path };
}

/** The address and tokens of the admin API, without the rest of the configuration. */
export type AdminOnly = Pick<BackworksConfig, 'admin' | 'file'>;

/**
 * Reads only the admin block of a configuration file. Variables elsewhere in the file may be unset.
 * @param withTokens false to skip the tokens and the variables in them
 * @throws ConfigError. @throws BackworksError BW_CONFIG_NOT_FOUND
 */
export async function loadAdmin(file: string, options: LoadOptions, withTokens: boolean): Promise<AdminOnly> {
  const path = resolve(file);
  const keys = ['enabled', 'host', 'port', ...(withTokens ? ['token', 'read_token'] : [])];
  const parse = { ...options, file: path, directory: dirname(path) };
  const source = check(await readText(path), parse, (whole) => adminOf(whole, keys));
  const { admin } = normalize(source.value as unknown as RawConfig, originOf(source, parse));
  return { admin, file: path };
}

/** A configuration reduced to some keys of its admin block. */
function adminOf(whole: Source, keys: readonly string[]): Source {
  const block = whole.at('/admin');
  if (!isMapping(block))
    return new Source({}, new Map([...whole.marks].filter(([pointer]) => pointer === '')));
  const admin = Object.fromEntries(Object.entries(block).filter(([key]) => keys.includes(key)));
  const kept = ['', '/admin', ...keys.map((key) => below('/admin', key))];
  return new Source({ admin }, new Map([...whole.marks].filter(([pointer]) => kept.includes(pointer))));
}

/**
 * Checks a text and returns a source whose value is a RawConfig.
 * @param part selects a part of the merged layers to use in place of the whole
 */
function check(
  text: string,
  options: ParseOptions,
  part: (whole: Source) => Source = (whole) => whole,
): Source {
  const name = options.file === undefined ? 'configuration' : displayName(options.file);
  const report = new ProblemReport();
  if (Buffer.byteLength(text) > FILE_BYTES_MAX) {
    const message = `the file is longer than ${FILE_BYTES_MAX} bytes`;
    report.add('BW_CONFIG_SYNTAX', '', { file: name, line: 1, column: 1 }, { message });
    report.throwIfAny();
  }
  const variables = options.env ?? process.env;
  const file = readSource(text, { name, layer: { kind: 'file' }, environment: variables, report });
  const { environment, overrides = [] } = options;
  if (file === undefined) return report.fail();
  reportOtherVersion(file, name, report);
  const { source: whole, known } = layer(file, { environment, overrides, variables, report });
  const source = part(whole);
  source.reportMissing(report);
  const broken = validateSchema(source, report, known);
  reportContradictions(source, options, broken, report);
  report.throwIfAny(() => validPlugins(source, broken, options));
  return source;
}

/**
 * Plugin entries whose library and `config` are valid although the file has mistakes elsewhere. Other invalid
 * values of such an entry are replaced with their defaults, which grant nothing.
 */
function validPlugins(source: Source, broken: readonly Pointer[], options: ParseOptions): PluginConfig[] {
  const origin = originOf(source, options);
  const isInvalid = (pointer: Pointer): boolean => broken.some((other) => isWithin(pointer, other));
  const isValid = (pointer: Pointer): boolean =>
    !isInvalid(pointer) &&
    !source.hasUnresolved(pointer) &&
    !broken.some((other) => isWithin(other, pointer));
  // An unset variable may stand for all entries.
  if (!isMapping(source.at('/plugins')) || isInvalid('/plugins')) return [];
  const plugins = pluginEntries((source.value as unknown as RawConfig).plugins).flatMap(([name, plugin]) => {
    const pointer = below('/plugins', name);
    if (isInvalid(pointer) || source.isUnresolved(pointer)) return [];
    if (!['type', 'path', 'config'].every((key) => isValid(below(pointer, key)))) return [];
    const right = Object.entries(plugin).filter(([key]) => isValid(below(pointer, key)));
    const entry: RawPlugin = { ...defaultEntry(), type: 'external', ...Object.fromEntries(right) };
    return [deepFreeze(normalizePlugin(name, entry, origin))];
  });
  rememberBlocks({ plugins }, source);
  return plugins;
}

function originOf(source: Source, { file, directory }: ParseOptions): Origin {
  const where = (pointer: string): string => formatPlace(source.keyPosition(pointer));
  return {
    file: file === undefined ? null : resolve(directory, file),
    directory,
    where: file === undefined ? () => null : where,
    written: (pointer) => writtenAt(source.marks, pointer),
  };
}

let policy: PluginPolicy | undefined;

/** The user range when no configuration sets one. */
export function defaultPluginUsers(): UserRange {
  const { value } = check('{}', { directory: '/', env: {} });
  return (value as unknown as RawConfig).server.plugin_users;
}

/** The policy of a plugin without an entry, such as a discovered plugin. */
export function defaultPluginPolicy(): PluginPolicy {
  policy ??= deepFreeze(normalizePolicy(defaultEntry(), '/'));
  return policy;
}

/** A plugin entry with defaults only. */
function defaultEntry(): RawPlugin {
  const source = check('plugins: { any: { type: builtin } }', { directory: '/', env: {} });
  const [entry] = pluginEntries((source.value as unknown as RawConfig).plugins);
  if (entry === undefined) throw new TypeError('the configuration lost its plugin');
  return entry[1];
}

/**
 * Reports a file of another version.
 * @throws ConfigError at once, because every further problem would be a consequence of the version
 */
function reportOtherVersion(file: Source, name: string, report: ProblemReport): void {
  const found = versionOf(file.value);
  // An invalid version is left to the schema, like any other mistake.
  if (found === null || found.version === CURRENT_VERSION) return;
  const { version, pointer } = found;
  const isOlder = version < CURRENT_VERSION;
  report.add('BW_CONFIG_INVALID', pointer, file.keyPosition(pointer), {
    message: `the file has version ${version}, but this program reads version ${CURRENT_VERSION}`,
    hint: isOlder ? `run: backworks config migrate ${name}` : 'use a newer Backworks',
  });
  report.fail();
}
