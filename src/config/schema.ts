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
  if (rereadVariables(source, errors)) errors = failures(validate, source.value);
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

/**
 * Reads a variable the other way where the schema refused it: `port: "${PORT}"` means a number, and a
 * token that happens to be all digits means a text.
 */
function rereadVariables(source: Source, errors: readonly ErrorObject[]): boolean {
  let changed = false;
  for (const pointer of new Set(errors.map((error) => error.instancePath))) {
    const alternative = source.alternative(pointer);
    if (alternative === undefined) continue;
    const path = segments(pointer);
    const last = path.pop();
    let parent: JsonValue | undefined = source.value;
    for (const segment of path) parent = (parent as JsonObject | undefined)?.[segment];
    if (last === undefined || parent === undefined) continue;
    (parent as JsonObject)[last] = alternative;
    changed = true;
  }
  return changed;
}
