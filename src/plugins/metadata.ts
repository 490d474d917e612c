import { type BackworksError, type PluginPhase, PluginFailure } from '../errors.js';
import type {
  JsonObject,
  JsonValue,
  RequestBodyUse,
  ResponseBodyUse,
  WantedBodies,
} from '../config/types.js';
import type { LibraryDescription } from '../native/plugin.js';

import { oneLine } from '../printable.js';
import { hostVersion } from './host-version.js';
import { isRange, satisfies } from './version.js';

/** A dependency that a manifest declares. */
export interface PluginDependency {
  /** `capability`: any plugin that provides the capability satisfies the dependency. */
  readonly kind: 'plugin' | 'capability';
  readonly name: string;
  /** A semver range; "*" for any version. */
  readonly version: string;
  readonly optional: boolean;
}

/** An operation that the plugin performs through call(), such as "security.authenticate". */
export type PluginCapability = string;

/** The checked metadata of a plugin. */
export interface PluginMetadata {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly author: string | null;
  readonly license: string | null;
  /** Hooks that the library has. If the manifest lists hooks, only those that are also listed. */
  readonly hooks: ReadonlySet<PipelineHook>;
  readonly capabilities: readonly PluginCapability[];
  readonly dependencies: readonly PluginDependency[];
  readonly configSchema: JsonObject | null;
  /** Permissions that the plugin requests, in the form of the configuration's `permissions:`. */
  readonly permissions: JsonObject | null;
  /** Recommended by the author; used when the configuration has no value. The same for the next two members. */
  readonly priority: number | null;
  readonly critical: boolean | null;
  readonly body: WantedBodies;
  readonly maxExecutionTimeMs: number | null;
  readonly threadSafe: boolean;
}

const PIPELINE_HOOKS: readonly PipelineHook[] = ['before_request', 'process_endpoint', 'after_response'];
const MANIFEST_BYTES_MAX = 256 * 1024;
/** The same limit as in the configuration. Timers of Node and fields of frames hold at most 2^31 - 1 ms. */
const EXECUTION_MS_MAX = 999_999_999;
const PRIORITY_MAX = 1_000_000;
/** Characters of a text such as the author, and of a name. They appear in log lines, errors and the admin API. */
const TEXT_MAX = 1024;
const NAME_MAX = 128;
/** Reading a range takes longer than its length grows: one of 240,000 characters took 1.6 s of the event loop. */
const RANGE_MAX = 256;
/** Items of a list. */
const LIST_MAX = 1024;

/**
 * Turns the description of a library into checked metadata.
 * @throws PluginFailure BW_PLUGIN_METADATA with the invalid manifest key, or BW_PLUGIN_ABI when the plugin does not
 *   work with this version of the server
 */
export function readMetadata(
  description: LibraryDescription,
  phase: PluginPhase = 'describe',
): PluginMetadata {
  const manifest = parseManifest(description, phase);
  const reader = new ManifestReader(manifest, description.name, phase);
  checkHost(reader.optional('backworks', 'string'), reader, description.name, phase);
  const listed = reader.strings('hooks');
  const present = PIPELINE_HOOKS.filter((hook) => description.functions.has(hook));
  return {
    name: description.name,
    version: description.version,
    description: description.description,
    author: reader.optional('author', 'string'),
    license: reader.optional('license', 'string'),
    hooks: new Set(listed === null ? present : present.filter((hook) => listed.includes(hook))),
    capabilities: reader.strings('capabilities') ?? [],
    dependencies: readDependencies(reader),
    configSchema: reader.object('config_schema'),
    permissions: reader.object('permissions'),
    priority: reader.integer('priority', -PRIORITY_MAX, PRIORITY_MAX),
    critical: reader.optional('critical', 'boolean'),
    body: readBodies(reader),
    maxExecutionTimeMs: reader.integer('max_execution_time_ms', 1, EXECUTION_MS_MAX),
    threadSafe: description.threadSafe,
  };
}

function parseManifest(description: LibraryDescription, phase: PluginPhase): JsonObject {
  const text = description.manifest;
  if (text === null) return {};
  if (Buffer.byteLength(text) > MANIFEST_BYTES_MAX) {
    throw invalid(description.name, phase, `its manifest is longer than ${MANIFEST_BYTES_MAX} bytes`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(description.name, phase, 'its manifest is not JSON', cause);
  }
  if (!isObject(value)) throw invalid(description.name, phase, 'its manifest is not a JSON object');
  return value;
}

/** @param range server versions that the plugin works with; null for all */
function checkHost(range: string | null, reader: ManifestReader, plugin: string, phase: PluginPhase): void {
  if (range === null) return;
  if (!isShortRange(range)) throw reader.mismatch('backworks', RANGE);
  const host = hostVersion();
  if (satisfies(host, range)) return;
  const message = `plugin ${plugin} needs Backworks ${range}, but this server has version ${host}`;
  const hint = 'use a version of the plugin that supports this server, or another version of Backworks';
  throw new PluginFailure('BW_PLUGIN_ABI', message, { plugin, phase, hint });
}

function readDependencies(reader: ManifestReader): PluginDependency[] {
  return reader.list('dependencies').map((entry) => {
    const named = typeof entry === 'string' ? { name: entry } : entry;
    const { name, capability, version = '*', optional = false } = isObject(named) ? named : {};
    const [kind, wanted] =
      name === undefined ? (['capability', capability] as const) : (['plugin', name] as const);
    const isOne = name === undefined || capability === undefined;
    if (typeof wanted === 'string' && wanted.length > NAME_MAX)
      throw reader.mismatch('dependencies', `a list of names of at most ${NAME_MAX} characters`);
    if (!isOne || typeof wanted !== 'string' || typeof version !== 'string' || typeof optional !== 'boolean')
      throw reader.mismatch(
        'dependencies',
        'a list of names or {name or capability, version, optional} objects',
      );
    if (!isShortRange(version)) {
      const shown = JSON.stringify(version.slice(0, NAME_MAX));
      throw reader.mismatch('dependencies', `valid: ${shown} is not ${RANGE}`);
    }
    return { kind, name: oneLine(wanted), version: oneLine(version), optional };
  });
}

const RANGE = `a semver range of at most ${RANGE_MAX} characters`;

function isShortRange(text: string): boolean {
  return text.length <= RANGE_MAX && isRange(text);
}

const REQUEST_USES: readonly RequestBodyUse[] = ['none', 'buffer'];
const RESPONSE_USES: readonly ResponseBodyUse[] = ['none', 'auto', 'buffer'];

/** `body`: a word for both directions, or an object with a word for each. */
function readBodies(reader: ManifestReader): WantedBodies {
  const given = reader.value('body');
  if (given === null) return { request: null, response: null };
  const both = REQUEST_USES.find((use) => use === given);
  if (both !== undefined) return { request: both, response: both };
  if (!isObject(given) || !Object.keys(given).every((key) => key === 'request' || key === 'response'))
    throw reader.mismatch('body', '"none", "buffer" or an object of request and response');
  const { request = null, response = null } = given;
  const wanted = {
    request: REQUEST_USES.find((use) => use === request) ?? null,
    response: RESPONSE_USES.find((use) => use === response) ?? null,
  };
  if (wanted.request !== request) throw reader.mismatch('body.request', '"none" or "buffer"');
  if (wanted.response !== response) throw reader.mismatch('body.response', '"none", "auto" or "buffer"');
  return wanted;
}

interface ScalarTypes {
  string: string;
  boolean: boolean;
}

class ManifestReader {
  constructor(
    private readonly manifest: JsonObject,
    private readonly plugin: string,
    private readonly phase: PluginPhase,
  ) {}

  optional<T extends keyof ScalarTypes>(key: string, type: T): ScalarTypes[T] | null {
    const value = this.value(key);
    if (value === null) return null;
    if (typeof value !== type) throw this.mismatch(key, `a ${type}`);
    if (typeof value === 'string' && value.length > TEXT_MAX)
      throw this.mismatch(key, `a text of at most ${TEXT_MAX} characters`);
    return (typeof value === 'string' ? oneLine(value) : value) as ScalarTypes[T];
  }

  integer(key: string, min: number, max: number): number | null {
    const value = this.value(key);
    if (value === null) return null;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    throw this.mismatch(key, `a whole number from ${min} to ${max}`);
  }

  object(key: string): JsonObject | null {
    const value = this.value(key);
    if (value === null || isObject(value)) return value;
    throw this.mismatch(key, 'an object');
  }

  list(key: string): JsonValue[] {
    const value = this.value(key);
    if (value === null) return [];
    if (!Array.isArray(value) || value.length > LIST_MAX)
      throw this.mismatch(key, `a list of at most ${LIST_MAX} items`);
    return value;
  }

  strings(key: string): string[] | null {
    if (this.value(key) === null) return null;
    const list = this.list(key);
    const isName = (item: JsonValue): item is string => typeof item === 'string' && item.length <= NAME_MAX;
    if (!list.every(isName)) throw this.mismatch(key, `a list of strings of at most ${NAME_MAX} characters`);
    return list.map(oneLine);
  }

  mismatch(key: string, expected: string): BackworksError {
    return invalid(this.plugin, this.phase, `manifest key "${key}" is not ${expected}`);
  }

  value(key: string): JsonValue {
    return Object.hasOwn(this.manifest, key) ? (this.manifest[key] ?? null) : null;
  }
}

function invalid(plugin: string, phase: PluginPhase, message: string, cause?: unknown): PluginFailure {
  return new PluginFailure('BW_PLUGIN_METADATA', `plugin ${plugin}: ${message}`, {
    plugin,
    phase,
    hint: 'correct the JSON that manifest() returns',
    cause,
  });
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The hooks that the pipeline calls for a request. */
export type PipelineHook = 'before_request' | 'process_endpoint' | 'after_response';
