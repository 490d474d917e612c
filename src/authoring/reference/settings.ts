import { expectation } from '../../config/plugin-schema/explain.js';
import { resolveReference } from '../../config/plugin-schema/references.js';
import type { JsonObject, JsonValue } from '../../config/types.js';

/** One setting of a plugin's `config:` block. */
export interface Setting {
  /** Such as `cities[].name`. */
  readonly name: string;
  /** In words, such as "a whole number from 1 to 5". */
  readonly value: string;
  readonly required: boolean;
  /** JSON; null when the schema names none. */
  readonly preset: string | null;
  readonly description: string;
}

/** Depth of nested objects and lists whose members are listed. */
const DEPTH_MAX = 6;
const SETTINGS_MAX = 1000;

/** The settings that a vetted schema describes, nested ones by path. */
export function settingsOf(schema: JsonObject): Setting[] {
  const settings: Setting[] = [];
  visit('', schema, 0);
  return settings;

  function visit(path: string, given: JsonValue, depth: number): void {
    const part = resolveReference(schema, given);
    const { properties, items, additionalProperties } = part;
    if (depth >= DEPTH_MAX) return;
    const required = Array.isArray(part['required']) ? part['required'] : [];
    for (const [key, member] of Object.entries(isObject(properties) ? properties : {})) {
      add(path === '' ? key : `${path}.${key}`, member, required.includes(key), depth);
    }
    if (isObject(items)) visit(`${path}[]`, items, depth + 1);
    if (isObject(additionalProperties))
      add(path === '' ? 'NAME' : `${path}.NAME`, additionalProperties, false, depth);
  }

  function add(name: string, given: JsonValue, required: boolean, depth: number): void {
    if (settings.length >= SETTINGS_MAX) return;
    const part = resolveReference(schema, given);
    const { title, description = title, default: preset } = part;
    settings.push({
      name,
      value: expectation(part),
      required,
      preset: preset === undefined ? null : JSON.stringify(preset),
      description: typeof description === 'string' ? description : '',
    });
    visit(name, part, depth + 1);
  }
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
