import type { JsonValue } from '../config/types.js';
import { JSON_DEPTH_MAX } from '../native/protocol/protocol.js';

/** Nesting a body or a patch may have: parsers in plugins recurse, and theirs is the smaller stack. */
export { JSON_DEPTH_MAX };

/** Whether valid JSON nests deeper than the limit. Short texts cannot, and are not looked at. */
export function isTooDeep(json: string): boolean {
  if (json.length <= 2 * JSON_DEPTH_MAX) return false;
  let depth = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    switch (json.charCodeAt(i)) {
      case 0x22: // "
        inString = !inString;
        break;
      case 0x5c: // \ occurs in strings only and takes the next character with it
        i++;
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (!inString && ++depth > JSON_DEPTH_MAX) return true;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        if (!inString) depth--;
    }
  }
  return false;
}

/** Whether a value nests deeper than the limit; it looks no further than that. */
export function nestsTooDeep(value: JsonValue | undefined, levels = JSON_DEPTH_MAX): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  for (const item of Object.values(value)) if (nestsTooDeep(item, levels - 1)) return true;
  return false;
}
