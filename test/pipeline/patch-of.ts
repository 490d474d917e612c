import { type JsonMembers, JsonOutline } from '../../dist/plugins/json-outline.js';

/** A patch as in a plugin's answer. @param patch a value, or JSON text if its numbers matter */
export function patchOf(patch: object | string): JsonMembers {
  const json = typeof patch === 'string' ? patch : JSON.stringify(patch);
  const outline = JsonOutline.of(Buffer.from(json));
  const members = typeof outline === 'number' ? null : outline.object();
  if (members === null) throw new TypeError(`not a patch: ${json}`);
  return members;
}
