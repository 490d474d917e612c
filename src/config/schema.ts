import { readFileSync } from 'node:fs';
import { Ajv, type AnySchemaObject, type ErrorObject, type ValidateFunction } from 'ajv';
import { explain } from './explain.js';
import { type Pointer, segments } from './pointer.js';
import type { ProblemReport } from './problems.js';
import type { Source } from './source.js';
import type { JsonObject, JsonValue } from './types.js';

let compiled: ValidateFunction | undefined;

/** The published JSON Schema, compiled on first use. */
function validator(): ValidateFunction {
  if (compiled === undefined) {
    const file = new URL('../../schema/backworks.v1.json', import.meta.url);
    const schema = JSON.parse(readFileSync(file, 'utf8')) as AnySchemaObject;
    const ajv = new Ajv({
      allErrors: true,
      strict: true,
      allowUnionTypes: true,
      useDefaults: true,
      verbose: true,
      ownProperties: true,
    });
    // Known to editors; here it says what to expect where a pattern cannot.
    ajv.addVocabulary(['patternErrorMessage']);
    compiled = ajv.compile(schema);
  }
  return compiled;
}

/**
 * Checks the source's value against the schema, fills in defaults in place and reports every mismatch.
 * @returns the pointers of the values that are wrong.
 */
export function validateSchema(source: Source, report: ProblemReport): readonly Pointer[] {
  const validate = validator();
  let errors = failures(validate, source.value);
  if (restoreTexts(source, errors)) errors = failures(validate, source.value);
  const reported = new Set<Pointer>();
  for (const error of errors) {
    const problem = explain(error, source);
    if (problem === undefined || reported.has(problem.pointer) || source.isUnresolved(problem.pointer))
      continue;
    reported.add(problem.pointer);
    const position = problem.atKey
      ? source.keyPosition(problem.pointer)
      : source.valuePosition(problem.pointer);
    report.add('BW_CONFIG_INVALID', problem.pointer, position, problem.finding);
  }
  return [...reported];
}

function failures(validate: ValidateFunction, value: JsonValue): readonly ErrorObject[] {
  return validate(value) ? [] : (validate.errors ?? []);
}

/** Gives variables that were read as numbers or booleans their text back where a text is expected. */
function restoreTexts(source: Source, errors: readonly ErrorObject[]): boolean {
  let restored = false;
  for (const error of errors) {
    const text = source.variableText(error.instancePath);
    if (error.keyword !== 'type' || text === undefined) continue;
    if (![error.params['type'] as unknown].flat().includes('string')) continue;
    const path = segments(error.instancePath);
    const last = path.pop();
    let parent: JsonValue | undefined = source.value;
    for (const segment of path) parent = (parent as JsonObject | undefined)?.[segment];
    if (last === undefined || typeof parent !== 'object' || parent === null) continue;
    (parent as JsonObject)[last] = text;
    restored = true;
  }
  return restored;
}
