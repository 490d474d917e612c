import { checkJson as check, JsonFact } from '../native/json-check.js';
import { JSON_DEPTH_MAX } from './json-depth.js';

export { JsonFact };

/**
 * Checks bytes that are passed on as they are, with the nesting that bodies and answers may have.
 * @returns facts of `JsonFact`; 0 when they are not JSON in UTF-8
 */
export function checkJson(bytes: Buffer): number {
  return check(bytes, JSON_DEPTH_MAX);
}
