import { alternatives, describe } from '../schema/explain.js';
import { nearest } from '../source/nearest.js';
import { below, type Pointer, quote, segments } from '../source/pointer.js';
import type { Finding } from '../source/problems.js';
import type { Source } from '../source/source.js';
import type { JsonObject, JsonValue } from '../types.js';
import type { Mistake, Rule } from './mistake.js';

export interface PluginConfigFinding {
  readonly pointer: Pointer;
  /** The problem is the key, not its value. */
  readonly atKey: boolean;
  readonly finding: Finding;
}

/** Values under these keys are never shown, whatever the schema says. */
const SECRET_KEY = /secret|token|passw|credential|private|api_?key|apikey/i;
/** Keywords that require one of several forms to fit. */
const CHOICES: ReadonlySet<string> = new Set(['anyOf', 'oneOf']);
const NOUNS: Readonly<Record<string, string>> = {
  string: 'a string',
  boolean: 'true or false',
  object: 'a mapping',
  array: 'a list',
  null: 'nothing',
  number: 'a number',
  integer: 'a whole number',
};
/** Keywords that limit the number of entries or keys. */
const COUNTS: ReadonlySet<string> = new Set(['minItems', 'maxItems', 'minProperties', 'maxProperties']);
const ENTRIES_SHOWN_MAX = 20;

/** Explains in words how a configuration breaks a plugin's schema. One finding per location. */
export function explainMistakes(mistakes: readonly Mistake[], source: Source): PluginConfigFinding[] {
  const findings = new Map<string, PluginConfigFinding>();
  for (const mistake of withoutForms(mistakes)) {
    const found = explainMistake(mistake, mistakes, source);
    const id = `${found?.pointer}\n${found?.atKey === true}\n${mistake.keyword === 'required' && mistake.key}`;
    if (found !== undefined && !findings.has(id)) findings.set(id, found);
  }
  return [...findings.values()];
}

/** Drops the mistakes of the individual forms of a failed choice: the choice itself reports them. */
function withoutForms(mistakes: readonly Mistake[]): Mistake[] {
  const choices = mistakes.filter(({ keyword }) => CHOICES.has(keyword)).map(({ schemaPath }) => schemaPath);
  return mistakes.filter(({ schemaPath }) => !choices.some((choice) => schemaPath.startsWith(`${choice}/`)));
}

function explainMistake(
  mistake: Mistake,
  all: readonly Mistake[],
  source: Source,
): PluginConfigFinding | undefined {
  const { keyword, pointer, key, rule } = mistake;
  // The mistakes inside `then` and `else`, and the name that does not fit, explain the problem better.
  if (keyword === 'if' || keyword === 'propertyNames') return undefined;
  if (keyword === 'additionalProperties' && key !== null) return unknownKey(pointer, key, rule.keys ?? []);
  if ((keyword === 'required' || keyword === 'dependencies') && key !== null) {
    return { pointer, atKey: true, finding: { message: `the key ${quote(key)} is missing` } };
  }
  if (key !== null) {
    const finding = { expected: `a key that is ${expectation(rule)}`, found: quote(key) };
    return { pointer: below(pointer, key), atKey: true, finding };
  }
  const value = valueAt(source, pointer) ?? null;
  const found =
    source.origin(pointer) ??
    (COUNTS.has(keyword) ? String(sizeOf(value)) : describe(value, isSecret(pointer, rule)));
  const expected = CHOICES.has(keyword) ? choice(mistake, all) : expectation(rule, keyword);
  return { pointer, atKey: false, finding: { expected, found, hint: hint(pointer, rule, source) } };
}

function unknownKey(parent: Pointer, key: string, known: readonly string[]): PluginConfigFinding {
  const near = nearest(key, known);
  let hint = known.length === 0 ? 'remove it' : `the keys here are ${known.join(', ')}`;
  if (near !== undefined) hint = `did you mean ${quote(near)}?`;
  return {
    pointer: below(parent, key),
    atKey: true,
    finding: { message: `unknown key ${quote(key)}`, hint },
  };
}

function hint(pointer: Pointer, rule: Rule, source: Source): string | undefined {
  const value = valueAt(source, pointer);
  if (source.origin(pointer) !== undefined) return undefined;
  if (rule.enum !== undefined && typeof value === 'string') {
    const near = nearest(
      value,
      rule.enum.filter((entry) => typeof entry === 'string'),
    );
    return near === undefined ? undefined : `did you mean ${quote(near)}?`;
  }
  if (rule.type === 'string' && (typeof value === 'number' || typeof value === 'boolean'))
    return 'put it in quotes';
  return undefined;
}

/** The value at a pointer; undefined when there is none. */
function valueAt({ value: root }: Source, pointer: Pointer): JsonValue | undefined {
  let value: JsonValue | undefined = root;
  for (const segment of segments(pointer)) value = (value as JsonObject | undefined)?.[segment];
  return value;
}

const sizeOf = (value: JsonValue): number => Object.keys(value ?? {}).length;

function isSecret(pointer: Pointer, { writeOnly, format }: Rule): boolean {
  return writeOnly === true || format === 'password' || SECRET_KEY.test(pointer);
}

/** What the forms of a choice would have accepted, provided that all of them are about the value itself. */
function choice({ schemaPath, pointer }: Mistake, all: readonly Mistake[]): string {
  const forms = all.filter((other) => other.schemaPath.startsWith(`${schemaPath}/`));
  const here = forms.filter((form) => form.pointer === pointer && form.key === null);
  const texts = [...new Set(here.map((form) => expectation(form.rule, form.keyword)))];
  return here.length === forms.length && texts.length > 0
    ? alternatives(texts)
    : 'one of the forms that its schema allows';
}

/** Describes what a rule accepts: `a whole number from 1 to 5`, `"metric" or "imperial"`. */
export function expectation(rule: Rule, keyword = ''): string {
  if (rule.const !== undefined) return JSON.stringify(rule.const);
  if (rule.enum !== undefined) {
    const shown = rule.enum.slice(0, ENTRIES_SHOWN_MAX).map((entry) => JSON.stringify(entry));
    const more = rule.enum.length - shown.length;
    return alternatives(more > 0 ? [...shown, `one of ${more} more`] : shown);
  }
  if (keyword === 'not') return 'something else';
  if (keyword === 'contains') return 'a list that contains a required entry';
  if (keyword === 'uniqueItems') return 'a list without duplicates';
  const types = typeof rule.type === 'string' ? [rule.type] : (rule.type ?? []);
  const nouns = types.map((type) => NOUNS[type] ?? type);
  const noun = nouns.length === 0 ? 'a value' : alternatives(nouns);
  return [noun, ...bounds(rule)].join(' ');
}

function bounds(rule: Rule): string[] {
  const parts = [
    range(rule.minimum, rule.maximum, ''),
    rule.exclusiveMinimum === undefined ? '' : `above ${rule.exclusiveMinimum}`,
    rule.exclusiveMaximum === undefined ? '' : `below ${rule.exclusiveMaximum}`,
    rule.multipleOf === undefined ? '' : `in steps of ${rule.multipleOf}`,
    rule.minLength === 1 && rule.maxLength === undefined
      ? 'that is not empty'
      : range(rule.minLength, rule.maxLength, ' characters'),
    rule.minItems === 1 && rule.maxItems === undefined
      ? 'that is not empty'
      : range(rule.minItems, rule.maxItems, ' entries'),
    range(rule.minProperties, rule.maxProperties, ' keys'),
    rule.format === undefined ? '' : `in the format ${rule.format}`,
    rule.pattern === undefined ? '' : `that matches ${quote(rule.pattern)}`,
  ];
  return parts.filter((part) => part !== '');
}

function range(least: number | undefined, most: number | undefined, unit: string): string {
  if (least !== undefined && most !== undefined)
    return unit === '' ? `from ${least} to ${most}` : `of ${least} to ${most}${unit}`;
  if (least !== undefined) return `of at least ${least}${unit}`;
  return most === undefined ? '' : `of at most ${most}${unit}`;
}
