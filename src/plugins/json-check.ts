import { checkJson as check, JsonFact } from '../native/json-check.js';
import { JSON_DEPTH_MAX } from './json-depth.js';

export { JsonFact };

/**
 * Checks bytes that are passed on unchanged, with the nesting limit of bodies and answers.
 * @returns flags of `JsonFact`; 0 if the bytes are not JSON in UTF-8
 */
export function checkJson(bytes: Buffer): number {
  return check(bytes, JSON_DEPTH_MAX);
}
