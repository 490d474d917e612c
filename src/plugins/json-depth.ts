/** Nesting a body or a patch may have: parsers in plugins recurse, and theirs is the smaller stack. */
export { JSON_DEPTH_MAX } from '../native/protocol/protocol.js';
