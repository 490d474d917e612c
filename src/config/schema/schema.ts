import type { ErrorObject, ValidateFunction } from 'ajv';
import { explain } from './explain.js';
import type { Mark } from '../source/mark.js';
import { type Pointer, segments } from '../source/pointer.js';
import type { ProblemReport } from '../source/problems.js';
import type { Source } from '../source/source.js';
import type { JsonObject, JsonValue } from '../types.js';
import { overlay, whole } from './validators.js';

/** Values that are already reported as wrong. */
export type KnownMistakes = Set<Mark>;

/**
 * Checks a source that will be merged with others, so no key is required. Reports every mismatch and adds it
 * to the known mistakes.
 */
export function validateOverlay(source: Source, report: ProblemReport, known: KnownMistakes): void {
  for (const pointer of mismatches(overlay, source, report, known)) {
    const mark = source.marks.get(pointer);
    if (mark !== undefined) known.add(mark);
  }
}

/**
 * Checks the source's value against the schema and fills in defaults in place. Reports every mismatch that is
 * not known yet.
 * @returns the pointers of the values that are wrong
 */
export function validateSchema(
  source: Source,
  report: ProblemReport,
  known: KnownMistakes,
): readonly Pointer[] {
  return mismatches(whole, source, report, known);
}

function mismatches(
  validate: ValidateFunction,
  source: Source,
  report: ProblemReport,
  known: KnownMistakes,
): readonly Pointer[] {
  let errors = failures(validate, source.value);
  if (rereadVariables(source, errors)) errors = failures(validate, source.value);
  const wrong = new Set<Pointer>();
  for (const error of errors) {
    const problem = explain(error, source);
    if (problem === undefined || wrong.has(problem.pointer)) continue;
    // The content of an unset variable is unknown, but an unknown key is still a mistake.
    if (!problem.atKey && source.isUnresolved(problem.pointer)) continue;
    wrong.add(problem.pointer);
    const mark = source.marks.get(problem.pointer);
    if (mark !== undefined && known.has(mark)) continue;
    const place = problem.atKey ? source.keyPosition(problem.pointer) : source.valuePosition(problem.pointer);
    report.add('BW_CONFIG_INVALID', source.prefix + problem.pointer, place, problem.finding);
  }
  return [...wrong];
}

function failures(validate: ValidateFunction, value: JsonValue): readonly ErrorObject[] {
  return validate(value) ? [] : (validate.errors ?? []);
}

/**
 * Uses the other type of a variable where the schema rejected the first one: `port: "${PORT}"` means a
 * number, and a token of digits only means a text.
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
