import { AssertionError } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import { type ErrorCode, PluginFailure, toBackworksError } from '../errors.js';
import type { RequestOutcome, ResponseOutcome, TestResponse } from './test-plugin.js';

/** Members that a value must have; a nested object must have the members named, any other value must be equal. */
export type Expected = Readonly<Record<string, unknown>>;

/**
 * Asserts that there is a response with these members.
 * @throws AssertionError
 *
 * @example
 * ```ts
 * import { expectResponse } from 'backworks/testing';
 *
 * const response = { status: 200, headers: { 'content-type': 'application/json' }, body: { city: 'Oslo', sun: true } };
 * expectResponse(response, { status: 200, body: { city: 'Oslo' } });
 * try {
 *   expectResponse(response, { body: { sun: false } });
 * } catch (error) {
 *   console.log((error as Error).message); // the response differs at body.sun
 * }
 * ```
 */
export function expectResponse(
  answer: TestResponse | RequestOutcome | null,
  expected: Expected,
): asserts answer is TestResponse | RequestOutcome {
  const response = answer !== null && 'response' in answer ? answer.response : answer;
  if (response === null) fail('there is no response', null, expected, expectResponse);
  expectMembers(response, expected, 'the response', expectResponse);
}

/**
 * Asserts that a hook changed its document, and that the document then has these members.
 * @throws AssertionError
 *
 * @example
 * ```ts
 * import { expectChanged, responseDocument } from 'backworks/testing';
 *
 * const document = responseDocument({ headers: { 'x-served-by': 'weather' } });
 * try {
 *   expectChanged({ changed: true, document }, { headers: { 'x-served-by': 'pay' } });
 * } catch (error) {
 *   console.log((error as Error).message); // the document differs at headers.x-served-by
 * }
 * ```
 */
export function expectChanged(outcome: RequestOutcome | ResponseOutcome, expected: Expected = {}): void {
  if (!outcome.changed) fail('the plugin changed nothing', outcome.document, expected, expectChanged);
  expectMembers(outcome.document, expected, 'the document', expectChanged);
}

/**
 * Asserts that a hook changed nothing and did not answer.
 * @throws AssertionError
 *
 * @example
 * ```ts
 * import { expectUnchanged, responseDocument } from 'backworks/testing';
 *
 * try {
 *   expectUnchanged({ changed: true, document: responseDocument() });
 * } catch (error) {
 *   console.log((error as Error).message); // the plugin changed the document
 * }
 * ```
 */
export function expectUnchanged(outcome: RequestOutcome | ResponseOutcome): void {
  const response = 'response' in outcome ? outcome.response : null;
  if (response !== null) fail('the plugin answered', response, null, expectUnchanged);
  if (outcome.changed) fail('the plugin changed the document', outcome.document, null, expectUnchanged);
}

/**
 * Waits for a call to fail with a code.
 * @returns the failure, with functions and source lines of a crash
 * @throws AssertionError (as a rejection)
 *
 * @example
 * ```ts
 * import { expectFailure, startPlugin } from 'backworks/testing';
 *
 * const library = './plugins/libweather_plugin.so';
 * const start = startPlugin({ library, config: { default_city: 5 } });
 * const failure = await expectFailure(start, 'BW_PLUGIN_CONFIG');
 * console.log(failure.phase); // load
 * ```
 */
export async function expectFailure(call: Promise<unknown>, code: ErrorCode): Promise<PluginFailure> {
  let answer: unknown;
  try {
    answer = await call;
  } catch (thrown) {
    const error = toBackworksError(thrown);
    if (error.code === code && error instanceof PluginFailure) return error;
    fail(`the call failed differently: ${String(error)}`, error.code, code, expectFailure);
  }
  fail('the call did not fail', answer, code, expectFailure);
}

/** A function of this file, whose frames are left out of the stack. */
type Caller = (...given: never[]) => unknown;

function expectMembers(actual: object, expected: Expected, what: string, caller: Caller): void {
  const wrong = firstDifference(actual, expected, '');
  if (wrong !== null) fail(`${what} differs at ${wrong}`, actual, expected, caller);
}

/** The path of the first member that is missing or differs; null when there is none. */
function firstDifference(actual: unknown, expected: unknown, path: string): string | null {
  if (!isPlain(expected) || !isPlain(actual)) return isDeepStrictEqual(actual, expected) ? null : path;
  for (const [name, value] of Object.entries(expected)) {
    const wrong = firstDifference(actual[name], value, path === '' ? name : `${path}.${name}`);
    if (wrong !== null) return wrong;
  }
  return null;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
}

function fail(message: string, actual: unknown, expected: unknown, caller: Caller): never {
  throw new AssertionError({ message, actual, expected, operator: caller.name, stackStartFn: caller });
}
